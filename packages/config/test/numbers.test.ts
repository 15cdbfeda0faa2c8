import { JsonNumber } from '@magpie/contract';
import { expect, it } from 'vitest';
import { found, loadWith } from './helpers.ts';

const loaded = (written: string): unknown => {
  const { config } = loadWith(`routes: { r: { to: { payload: { v: ${written} } } } }`);
  return Object(config?.routes.r).to?.payload.v;
};

it.each([
  ['1724442618569203714', '1724442618569203714'],
  ['-9223372036854775808', '-9223372036854775808'],
  ['+1724442618569203714', '1724442618569203714'],
  ['0001724442618569203714', '1724442618569203714'],
  ['0x17ee736cd35ca002', '1724442618569203714'],
  ['21.300000000000001', '21.300000000000001'],
  ['.1234567890123456789', '0.1234567890123456789'],
  ['1e400', '1e400'],
  ['1.E-400', '1E-400'],
])('%s in a file keeps its digits', (written, digits) => {
  expect(loaded(written)).toEqual(new JsonNumber(digits));
});

it.each([
  ['007', 7],
  ['0x10', 16],
  ['+1.50', 1.5],
  ['.5', 0.5],
  ['1.', 1],
  ['1e3', 1000],
  ['"1724442618569203714"', '1724442618569203714'],
])('%s in a file is %j', (written, value) => {
  expect(loaded(written)).toBe(value);
});

it.each(['.inf', '-.Inf', '.NAN'])('%s, which JSON cannot say, is refused with its place', (written) => {
  const problems = found(loadWith(`routes: { r: { to: { payload: { v: ${written} } } } }`));
  expect(problems).toEqual([`3:36 expected a finite number, got ${written}`]);
});

it('a number that no double holds is refused by its digits where a setting is', () => {
  expect(found(loadWith('http: { port: 1724442618569203714 }'))[0]).toContain('got 1724442618569203714');
});
