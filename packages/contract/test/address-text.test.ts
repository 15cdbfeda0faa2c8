import { addressToText, createAddressBook, textToAddress } from '@magpie/contract';
import fc from 'fast-check';
import { expect, it } from 'vitest';

const address = fc.record({
  scheme: fc.stringMatching(/^[a-z][a-z0-9+.-]{0,9}$/),
  segments: fc.array(fc.string({ unit: 'binary' }), { minLength: 1, maxLength: 5 }),
});

it('the text form of an address brings every address back, without knowing its scheme', () => {
  fc.assert(
    fc.property(address, (sent) => {
      expect(textToAddress(addressToText(sent))).toEqual(sent);
    }),
  );
});

it('replaces lone surrogates, which no protocol can carry', () => {
  expect(addressToText({ scheme: 'topic', segments: ['a\ud800'] })).toBe('topic:a%EF%BF%BD');
});

it.each([undefined, 7, '', 'nowhere', 'Topic:a', ':a', 'topic:%', 'topic:%zz'])('%j is no address', (text) => {
  expect(textToAddress(text)).toBeUndefined();
});

it('is what an address book writes for a scheme it does not know', () => {
  const unknown = { scheme: 'elsewhere', segments: ['a/b', 'c d', '\ud800'] };
  expect(createAddressBook([]).format(unknown)).toBe(addressToText(unknown));
});
