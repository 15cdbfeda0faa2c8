import { describe, expect, it } from 'vitest';
import { parseOptions } from '../options.ts';
import { PATHS, QUICK_PATHS } from '../paths/index.ts';

const KNOWN = ['a', 'b', 'c'];
const parse = (...args: string[]) => parseOptions(args, KNOWN, ['b']);

describe('the command line', () => {
  it('runs everything without arguments, and a quick run a part of it', () => {
    expect(parse()).toMatchObject({ paths: KNOWN, rounds: 5, seconds: 5, page: true, peers: false });
    expect(parse('--quick')).toMatchObject({ paths: ['b'], rounds: 2, seconds: 2, page: false });
  });

  it('takes paths in any order, and numbers', () => {
    expect(parse('c', 'a', '--rounds', '7', '--seconds=2', '--json', 'x.json')).toMatchObject({
      ...{ paths: ['a', 'c'], rounds: 7, seconds: 2, json: 'x.json' },
    });
  });

  it('answers a mistake with one sentence', () => {
    expect(() => parse('d')).toThrow(/^There is no path "d"\.$/);
    expect(() => parse('--fast')).toThrow(/^Unknown option '--fast'\.$/);
    expect(() => parse('--json')).toThrow(/^Option '--json.* argument missing\.$/);
    for (const wrong of ['0', 'many', '1.5', '-1']) {
      expect(() => parse(`--rounds=${wrong}`)).toThrow(
        `--rounds must be a whole number from 1 to 100, got "${wrong}".`,
      );
    }
  });
});

describe('the list of paths', () => {
  it('has every name once, and knows those of a quick run', () => {
    const names = PATHS.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(names).toEqual(expect.arrayContaining([...QUICK_PATHS]));
  });

  it('compares with a contender of the path', () => {
    for (const { contenders, base } of PATHS) expect(contenders.map(({ name }) => name)).toContain(base);
  });
});
