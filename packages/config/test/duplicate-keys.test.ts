import { describe, expect, it } from 'vitest';
import { found, loadWith } from './helpers.ts';

const SENTENCE = 'expected each key once per mapping, got this key a second time';

/** Line and column of every key that repeats. */
const repeated = (text: string): string[] => {
  const problems = found(loadWith(text));
  expect(problems.filter((problem) => !problem.endsWith(SENTENCE))).toEqual([]);
  return problems.map((problem) => problem.replace(` ${SENTENCE}`, ''));
};

const KEYS = Array.from({ length: 20_000 }, (_, index) => `  key-${index}: 1`);

describe('keys that repeat', () => {
  it.each([
    ['in a block', 'x-a:\n  b: 1\n  c: 2\n  b: 3', ['6:3']],
    ['in braces', 'x-a: { b: 1, c: 2, b: 3, b: 4 }', ['3:20', '3:26']],
    ['in a mapping of a list', 'x-a:\n  - { b: 1 }\n  - { b: 1, b: 2 }', ['5:13']],
    ['in a mapping under a key that repeats', 'x-a: 1\nx-a: { b: 1, b: 2 }', ['4:1', '4:14']],
    ['quoted and plain', `x-a: { b: 1, "b": 2, 'b': 3 }`, ['3:14', '3:22']],
    ['behind an anchor', 'x-a:\n  b: 1\n  &c b: 2', ['5:6']],
    ['after an empty value', 'x-a:\n  b:\n  b:', ['5:3']],
    ['that would merge', 'x-m: &m { c: 1 }\nx-a:\n  <<: *m\n  <<: *m', ['6:3']],
    ['in what aliases repeat, once', 'x-m: &m { c: 1, c: 2 }\nx-a: [*m, *m]', ['3:17']],
  ])('are located %s', (_, text, expected) => {
    expect(repeated(text)).toEqual(expected);
  });

  it.each([
    ['in two mappings', 'x-a: { b: 1 }\nx-b: { b: 1 }'],
    ['next to a mapping that is an alias', 'x-m: &m { c: 1 }\nx-a: { b: *m, c: *m, d: { <<: *m, c: 1 } }'],
    ['as a number and as a text', 'x-a: { 1: a, "1": b }'],
  ])('are none %s', (_, text) => {
    expect(repeated(text)).toEqual([]);
  });

  // Comparing each with each takes 4 to 5 s of processor time, loading the file 0.6 to 1 s, more where others use the caches.
  it('are looked for in a fraction of the time that comparing each with each takes', () => {
    const before = process.cpuUsage();
    expect(repeated(`x-a:\n${KEYS.join('\n')}`)).toEqual([]);
    const { user, system } = process.cpuUsage(before);
    expect((user + system) / 1e6).toBeLessThan(2.5);
  });

  it('are found far apart', () => {
    expect(repeated(`x-a:\n${KEYS.join('\n')}\n  key-7: 2\nx-b: 1`)).toEqual(['20004:3']);
  });
});
