import { describe, expect, it } from 'vitest';
import { parseOptions } from '../options.ts';
import { PATHS, QUICK_PATHS } from '../paths/index.ts';
import { SERIES } from '../scale/index.ts';

const KNOWN = { paths: ['a', 'b', 'c'], quick: ['b'], series: ['scale-x', 'scale-y'] };
const parse = (...args: string[]) => parseOptions(args, KNOWN);

describe('the command line', () => {
  it('runs everything without arguments, and a quick run a part of it', () => {
    const { paths, series } = KNOWN;
    expect(parse()).toMatchObject({ paths, series, rounds: 5, seconds: 5, page: true, peers: false });
    expect(parse('--quick')).toMatchObject({ paths: ['b'], series: [], rounds: 2, seconds: 2, page: false });
  });

  it('takes series by name, or all of them at once, with rounds of their own', () => {
    expect(parse('scale-y')).toMatchObject({ paths: [], series: ['scale-y'], scale: { rounds: 4, seconds: 2 } });
    expect(parse('scale', 'b')).toMatchObject({ paths: ['b'], series: KNOWN.series });
    expect(parse('scale', '--quick')).toMatchObject({ series: KNOWN.series, scale: { rounds: 1, seconds: 1 } });
    expect(parse('scale', '--rounds=9')).toMatchObject({ rounds: 9, scale: { rounds: 9, seconds: 2 } });
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

describe('the list of series', () => {
  it('has names that are none of a path, sizes that grow, and columns for what it draws', () => {
    const names = [...SERIES, ...PATHS].map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const { sizes, quickSizes, columns, cost, memory, goals } of SERIES) {
      for (const list of [sizes, quickSizes]) expect(list).toEqual([...new Set(list)].sort((a, b) => a - b));
      expect(columns.map(({ key }) => key)).toEqual(expect.arrayContaining([cost, memory]));
      for (const { from, to } of goals) expect(sizes).toEqual(expect.arrayContaining([from ?? to, to]));
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
