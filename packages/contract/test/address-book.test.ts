import { type AddressScheme, createAddressBook, pathScheme, Rejected } from '@magpie/contract';
import { describe, expect, it } from 'vitest';

const slashes = pathScheme({ scheme: 'queue', word: 'queue', separator: '/', maxBytes: 10 });
const dots = pathScheme({ scheme: 'queue', word: 'queue', separator: '.', maxBytes: 100 });
const strict: AddressScheme = {
  ...slashes,
  parse(value) {
    if (!value.startsWith('/')) throw new Rejected(`"${value}" has no "/" in front`);
    return slashes.parse(value.slice(1));
  },
};
const book = createAddressBook([
  { type: 'one', addresses: [slashes] },
  { type: 'two', addresses: [dots] },
  { type: 'three', addresses: [strict] },
]);
const address = { scheme: 'queue', segments: ['a', 'b'] };

describe('two protocols with one scheme name', () => {
  it('both keep theirs, by the type of the connection', () => {
    expect([book.scheme('queue', 'one'), book.scheme('queue', 'two')]).toEqual([slashes, dots]);
    expect([book.format(address, 'one'), book.format(address, 'two')]).toEqual(['queue:a/b', 'queue:a.b']);
    expect(book.parse('queue:a.b', 'one').segments).toEqual(['a.b']);
    expect(book.parse('queue:a.b', 'two').segments).toEqual(['a', 'b']);
    expect(() => book.parse('queue:a', 'three')).toThrow('has no "/" in front');
  });

  it('are told apart by what they accept where no type is known, the first one before the others', () => {
    expect([book.scheme('queue'), book.format(address)]).toEqual([slashes, 'queue:a/b']);
    expect(book.parse('queue:a/b.c').segments).toEqual(['a', 'b.c']);
    expect(book.parse('queue:much.too.long').segments).toEqual(['much', 'too', 'long']);
  });
});

describe('the book for one connection type', () => {
  const two = book.forType('two');

  it('uses the schemes of its type, for text in both directions', () => {
    expect([two.scheme('queue'), two.format(address)]).toEqual([dots, 'queue:a.b']);
    expect(two.parse('queue:a.b')).toEqual(address);
    expect(two.forType('one').format(address)).toBe('queue:a/b');
  });

  it('still knows the schemes of other types, and a type that is given', () => {
    const withTopics = createAddressBook([
      { type: 'one', addresses: [{ ...slashes, scheme: 'topic' }] },
      { type: 'two', addresses: [dots] },
    ]);
    expect(withTopics.forType('two').parse('topic:a/b')).toEqual({ scheme: 'topic', segments: ['a', 'b'] });
    expect(two.format(address, 'one')).toBe('queue:a/b');
    expect(() => two.parse('nowhere:a')).toThrow('expected one of queue:…');
  });

  it('is the whole book for no type or an unknown one', () => {
    expect([book.forType(undefined), book.forType('four')]).toEqual([book, book]);
  });
});

it('an unknown type has no scheme, and its addresses the form that needs none', () => {
  expect(book.scheme('queue', 'four')).toBeUndefined();
  expect(book.format({ scheme: 'queue', segments: ['a b', 'c'] }, 'four')).toBe('queue:a%20b/c');
  expect(() => book.parse('queue:a', 'four')).toThrow(Rejected);
});

it('a text without a known scheme is no address, and the error says which there are', () => {
  for (const text of ['', 'queue', 'topic:a', ':a']) expect(() => book.parse(text)).toThrow('expected one of queue:…');
});
