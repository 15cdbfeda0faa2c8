import { durationSchema, parseDuration, parseSize } from '@magpie/contract';
import fc from 'fast-check';
import { expect, it } from 'vitest';

it.each([
  ['500ms', 500],
  ['1.5s', 1500],
  ['0d', 0],
  ['36525d', 36_525 * 86_400_000],
  ['36526d', undefined],
  ['999999999999d', undefined],
  [`${'9'.repeat(400)}ms`, undefined],
  [`0.${'0'.repeat(50)}1d`, undefined],
  ['-1s', undefined],
  ['1e9d', undefined],
  ['Infinityd', undefined],
  ['1 toString', undefined],
])('the duration %s is %s ms', (text, ms) => {
  expect(parseDuration(text)).toBe(ms);
});

it.each([
  ['1024TiB', 2 ** 50],
  ['1025TiB', undefined],
  [`${'9'.repeat(309)}B`, undefined],
])('the size %s is %s bytes', (text, bytes) => {
  expect(parseSize(text)).toBe(bytes);
});

it('whatever is taken is a whole number that can be added to any time of today and still be written', () => {
  const units = fc.constantFrom('ms', 's', 'm', 'h', 'd', 'B', 'KiB', 'TiB');
  const number = fc.oneof(fc.bigInt({ min: 0n }).map(String), fc.double({ min: 0, noNaN: true }).map(String));
  fc.assert(
    fc.property(number, units, (count, unit) => {
      for (const value of [parseDuration(`${count}${unit}`), parseSize(`${count}${unit}`)]) {
        expect(value === undefined || (Number.isSafeInteger(value) && value >= 0)).toBe(true);
      }
      const ms = parseDuration(`${count}${unit}`) ?? 0;
      expect(() => new Date(Date.UTC(2100, 0) + ms).toISOString()).not.toThrow();
    }),
  );
});

it('a schema says what the longest is', () => {
  expect(durationSchema().safeParse('40000d').error?.issues[0]?.message).toContain('at most 36525d');
});
