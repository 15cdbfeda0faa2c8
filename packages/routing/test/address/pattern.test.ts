import { type Address, type AddressPattern, matchesPattern, type PatternSegment } from '@magpie/contract';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createTrie } from '../../src/address/trie.ts';
import { compile, event, problemsOf, route, toOffice } from '../support/adapters.ts';

const word = fc.constantFrom('a', 'b', 'c', '', '__proto__');
const step: fc.Arbitrary<PatternSegment> = fc.oneof(
  word.map((value) => ({ type: 'literal' as const, value })),
  fc.constant({ type: 'one' as const }),
);
const pattern = fc
  .tuple(fc.array(step, { maxLength: 4 }), fc.boolean())
  .map(([steps, many]): PatternSegment[] => (many ? [...steps, { type: 'many' }] : steps));
const segments = fc.array(word, { maxLength: 5 });

/** Whether some address can lie inside both patterns, segment by segment: the oracle for the trie. */
function overlap(a: AddressPattern, b: AddressPattern): boolean {
  if (a.scheme !== b.scheme) return false;
  for (let index = 0; ; index++) {
    const [left, right] = [a.segments[index], b.segments[index]];
    if (left?.type === 'many' || right?.type === 'many') return true;
    if (left === undefined || right === undefined) return left === right;
    if (left.type === 'literal' && right.type === 'literal' && left.value !== right.value) return false;
  }
}

const inScheme = (steps: readonly PatternSegment[]): AddressPattern => ({ scheme: 's', segments: steps });
const trieOf = (patterns: readonly (readonly PatternSegment[])[]) => {
  const trie = createTrie<number>();
  for (const [index, steps] of patterns.entries()) trie.add(steps, index);
  return trie;
};
const ascending = (numbers: readonly number[]): readonly number[] => [...numbers].sort((a, b) => a - b);

describe('the trie', () => {
  it('finds exactly the patterns that a linear search finds, each once', () => {
    fc.assert(
      fc.property(fc.array(pattern, { maxLength: 20 }), segments, (patterns, at) => {
        const address: Address = { scheme: 's', segments: at };
        const expected = patterns.flatMap((steps, index) => (matchesPattern(inScheme(steps), address) ? [index] : []));
        expect(ascending(trieOf(patterns).find(at))).toEqual(expected);
      }),
      { numRuns: 500 },
    );
  });

  it('finds what is left when some are taken back, and forgets the rest', () => {
    fc.assert(
      fc.property(fc.array(pattern, { maxLength: 20 }), segments, fc.nat(), (patterns, at, chance) => {
        const trie = trieOf(patterns);
        const goes = (index: number): boolean => (chance >> (index % 20)) % 2 === 1;
        for (const [index, steps] of patterns.entries()) if (goes(index)) trie.remove(steps, index);
        const left = patterns.flatMap((steps, index) =>
          !goes(index) && matchesPattern(inScheme(steps), { scheme: 's', segments: at }) ? [index] : [],
        );
        expect(ascending(trie.find(at))).toEqual(left);
        for (const [index, steps] of patterns.entries()) trie.remove(steps, index);
        expect(trie.overlapping([{ type: 'many' }])).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  it('finds exactly the patterns that overlap another', () => {
    fc.assert(
      fc.property(fc.array(pattern, { maxLength: 20 }), pattern, (patterns, other) => {
        const expected = patterns.flatMap((steps, index) => (overlap(inScheme(steps), inScheme(other)) ? [index] : []));
        expect(ascending(trieOf(patterns).overlapping(other))).toEqual(expected);
      }),
      { numRuns: 500 },
    );
  });

  it('says that two patterns overlap when an address lies in both', () => {
    fc.assert(
      fc.property(pattern, pattern, segments, (a, b, at) => {
        const address: Address = { scheme: 's', segments: at };
        const both = matchesPattern(inScheme(a), address) && matchesPattern(inScheme(b), address);
        if (both) expect(overlap(inScheme(a), inScheme(b))).toBe(true);
      }),
    );
  });

  it('looks at no more of an address with 10,000 patterns than with 10', () => {
    const reads = (count: number): number => {
      const patterns = Array.from({ length: count }, (_, index): PatternSegment[] => [
        { type: 'literal', value: 'plant' },
        { type: 'literal', value: `device-${index}` },
        index % 2 === 0 ? { type: 'one' } : { type: 'literal', value: 'alarm' },
      ]);
      let counted = 0;
      const at = new Proxy(['plant', 'device-7', 'alarm'], {
        get: (target, key, receiver) => {
          counted++;
          return Reflect.get(target, key, receiver);
        },
      });
      expect(trieOf(patterns).find(at)).toEqual([7]);
      return counted;
    };
    expect(reads(10_000)).toBe(reads(10));
  });
});

describe('patterns of a route', () => {
  it('capture segments and the tail', () => {
    const text = '${b} ${c.join(",")}';
    const routes = route({ from: { connection: 'floor', path: 'a/{b}/+/{c*}' }, to: toOffice({ text }) });
    const at = (...path: string[]) => event({ address: { scheme: 'path', segments: path } });
    const rendered = (of: ReturnType<typeof event>) => {
      const [match] = routes.match(of);
      return match && Buffer.from(match.target.render(of).parts.body).toString();
    };
    expect(rendered(at('a', 'x', 'y'))).toBe('x ');
    expect(rendered(at('a', 'x', 'y', 'p', 'q'))).toBe('x p,q');
    expect(rendered(at('a', 'x'))).toBeUndefined();
  });

  it('take native wildcards as well', () => {
    const routes = route({ from: { connection: 'floor', path: 'a/+/#' } });
    expect(routes.match(event())).toHaveLength(1);
    expect(routes.match(event({ address: { scheme: 'path', segments: ['b', 'x'] } }))).toHaveLength(0);
  });

  it('come out in the order of the file however they are stored', () => {
    const from = (path: string) => ({ from: { connection: 'floor', path }, to: toOffice() });
    const { routes } = compile({ z: from('#'), y: from('a/x'), x: from('a/+'), w: from('a/x/#') });
    expect(routes.match(event()).map(({ target }) => target.route)).toEqual(['z', 'y', 'x', 'w']);
  });

  it.each([
    ['a/#/b', '/routes/r/from/path', 'must come last'],
    ['a/{rest*}/b', '/routes/r/from/path', 'must come last'],
    ['a/x-{b}', '/routes/r/from/path', 'a capture must be a whole segment'],
    ['a/{b}/{b}', '/routes/r/from', 'captured twice'],
    ['a/{type}', '/routes/r/from', 'a word of the expression language'],
    ['a/{payload}', '/routes/r/from', 'already names a part of the event'],
    ['a/{my-name}', '/routes/r/from', 'cannot be the name of a capture'],
  ])('%s is refused', (path, pointer, message) => {
    const [problem] = problemsOf({ from: { connection: 'floor', path } });
    expect(problem).toMatchObject({ severity: 'error', pointer });
    expect(problem?.message).toContain(message);
  });

  it('suggest another name for a capture that cannot be used', () => {
    expect(problemsOf({ from: { connection: 'floor', path: 'a/{type}' } })[0]?.hint).toBe('for example "typeName"');
    expect(problemsOf({ from: { connection: 'floor', path: 'a/{my-name}' } })[0]?.hint).toContain('"my_name"');
  });
});
