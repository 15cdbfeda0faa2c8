import { describe, expect, it } from 'vitest';
import type { Case } from '../micro/case.ts';
import { GROUPS } from '../micro/groups/index.ts';
import { TOPICS } from '../micro/groups/topics.ts';

/** Compiling many whole routes and filling logs takes a while. */
const TIMEOUT_MS = 60_000;

const all = GROUPS.flatMap((group) => group.cases.map((each): [string, Case] => [`${group.name}: ${each.name}`, each]));

describe('a micro-benchmark does what it says', () => {
  it.each(all)('%s', { timeout: TIMEOUT_MS }, async (_, each) => {
    const subject = await each.prepare();
    const calls = 4;
    const results: unknown[] = [];
    for (let call = 0; call < calls; call++) results.push(await subject.run(call));
    for (const [call, result] of results.entries()) subject.check(result, call);
    // What an emptied body would give is never taken for the work.
    expect(() => subject.check(undefined, 0)).toThrow();
    expect(() => subject.check({}, 0)).toThrow();
    await subject.close?.(calls);
  });

  it.each(all.filter(([name]) => /^(append: 16|cursor: 16)/.test(name)))(
    '%s: sees in the log that something was not written',
    { timeout: TIMEOUT_MS },
    async (_, each) => {
      const subject = await each.prepare();
      await subject.run(0);
      await expect(async () => subject.close?.(2)).rejects.toThrow();
    },
  );
});

describe('the list of groups', () => {
  it('has every name once', () => {
    const names = GROUPS.map(({ name }) => name);
    expect(names).toEqual(['codecs', 'matching', 'cel', 'append', 'read', 'cursor', 'api']);
    expect(new Set(all.map(([name]) => name)).size).toBe(all.length);
  });
});

describe('the patterns of the routes', () => {
  const kinds = Object.values(TOPICS);

  it.each(kinds)('all differ: $name', ({ pattern }) => {
    const patterns = Array.from({ length: 100_000 }, (_, index) => pattern(index));
    expect(new Set(patterns).size).toBe(patterns.length);
  });

  it('of the worst case are every mix of levels and wildcards', () => {
    const mixes = Array.from({ length: 32 }, (_, index) => TOPICS.worst.pattern(index));
    expect(mixes[0]).toBe('a/b/c/d/e/end-0');
    expect(mixes[31]).toBe('+/+/+/+/+/end-0');
    expect(TOPICS.worst.pattern(32)).toBe('a/b/c/d/e/end-1');
  });
});
