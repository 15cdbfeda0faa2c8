import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isoTime, parseTime } from '../../src/codec/iso-time.ts';

const someMs = fc.oneof(fc.integer({ min: -8.64e15, max: 8.64e15 }), fc.integer({ min: 1.7e12, max: 1.7e12 + 3000 }));

describe('times', () => {
  it('are written as Date writes them', () => {
    fc.assert(
      fc.property(fc.array(someMs, { maxLength: 5 }), (list) => {
        expect(list.map(isoTime)).toEqual(list.map((ms) => new Date(ms).toISOString()));
      }),
      { numRuns: 1000 },
    );
    expect([Number.NaN, Number.POSITIVE_INFINITY, 9e15].map(isoTime)).toEqual([undefined, undefined, undefined]);
  });

  it('are read as Date reads them', () => {
    const written = someMs.map((ms) => new Date(ms).toISOString());
    const changed = fc
      .tuple(written, fc.nat({ max: 23 }), fc.constantFrom('0', '9', ' ', 'Z', 'x', '-'))
      .map(([text, at, letter]) => text.slice(0, at) + letter + text.slice(at + 1));
    fc.assert(
      fc.property(fc.array(fc.oneof(written, changed, fc.string()), { maxLength: 5 }), (list) => {
        expect(list.map(parseTime)).toEqual(list.map((text) => Date.parse(text)));
      }),
      { numRuns: 3000 },
    );
  });
});
