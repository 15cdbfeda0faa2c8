import { createAddressBook, Rejected } from '@magpie/contract';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { exchangeScheme, keyWords, queueScheme, queueSegments } from '../../src/codec/address.ts';

const schemes = [queueScheme, exchangeScheme];
const book = createAddressBook([{ type: 'amqp', addresses: schemes }]);
const name = fc.string({ minLength: 1, maxLength: 40, unit: 'grapheme' });
const key = fc.array(
  fc.string({ maxLength: 8, unit: 'grapheme' }).map((word) => word.replaceAll('.', '')),
  { maxLength: 5 },
);

describe('addresses of consumed messages', () => {
  it.each([
    ['inbox', '', 'inbox', ['inbox'], 'queue:inbox'],
    ['inbox', 'alarms', 'plant.pump-7', ['inbox', 'plant', 'pump-7'], 'queue:inbox/plant.pump-7'],
    ['inbox', 'fan', '', ['inbox'], 'queue:inbox'],
    ['a/b%', 'x', 'k/1.2', ['a/b%', 'k/1', '2'], 'queue:a%2Fb%25/k/1.2'],
    ['q', 'x', '.', ['q', '', ''], 'queue:q/.'],
  ])('queue %s by exchange "%s" with key "%s"', (queue, exchange, routingKey, segments, text) => {
    expect(queueSegments(queue, exchange, routingKey)).toEqual(segments);
    expect(book.format({ scheme: 'queue', segments })).toBe(text);
    expect(book.parse(text)).toEqual({ scheme: 'queue', segments });
  });

  it('every address that passes the check survives text and words', () => {
    fc.assert(
      fc.property(fc.constantFrom(...schemes), name, key, (scheme, first, words) => {
        const segments = [first, ...words];
        if (scheme.check(segments) !== undefined) return;
        expect(scheme.parse(scheme.format(segments))).toEqual(segments);
        expect(scheme.split(scheme.join(segments))).toEqual(segments);
        expect(keyWords(segments.slice(1).join('.'))).toEqual(segments.slice(1));
      }),
    );
  });
});

describe('patterns', () => {
  it('without a routing key take every key', () => {
    expect(queueScheme.splitPattern({ queue: 'q' })).toEqual(['q', '#']);
    expect(queueScheme.splitPattern({ queue: 'q', routingKey: 'a.*.#' })).toEqual(['q', 'a', '*', '#']);
  });

  it('know one wildcard for a word and one for the rest', () => {
    expect(['*', '#', 'a*', ''].map((word) => queueScheme.wildcard(word))).toEqual([
      'one',
      'many',
      undefined,
      undefined,
    ]);
  });
});

describe('checks of an address to send to', () => {
  const e = 'é';
  it.each([
    [[''], 'an empty exchange name'],
    [['#'], 'the wildcard "#" as exchange name'],
    [['x', ''], 'an empty routing key written as one empty word'],
    [['x', 'a.b'], 'a separator "." inside a word of the routing key'],
    [['x', 'a', '*'], 'the wildcard "*" in a routing key to send with'],
    [['x', 'a\0'], 'a NUL character in the routing key'],
    [['x', '\ud800'], 'a lone surrogate in the routing key'],
    [[e.repeat(128)], 'an exchange name of 256 bytes, more than 255'],
    [['x', e.repeat(128)], 'a routing key of 256 bytes, more than 255'],
    [[`${e.repeat(127)}x`, `${e.repeat(127)}x`], undefined],
  ])('%j: %s', (segments, wrong) => {
    expect(exchangeScheme.check(segments)).toBe(wrong);
  });
});

it('a substituted value stays one word, whatever it holds', { timeout: 60_000 }, () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (value) => {
      const encoded = exchangeScheme.encode(value);
      expect(exchangeScheme.wildcard(encoded)).toBeUndefined();
      if (encoded !== '') expect(keyWords(`a.${encoded}.b`)).toEqual(['a', encoded, 'b']);
    }),
  );
  expect(exchangeScheme.encode('a.b*#%/c')).toBe('a%2Eb%2A%23%25/c');
});

it('a text without a name is not an address', () => {
  expect(() => book.parse('queue:')).toThrow(Rejected);
  expect(() => book.parse('exchange:/a')).toThrow('expected exchange:name or exchange:name/routing.key');
});
