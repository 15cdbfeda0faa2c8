import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createDedupeIndex } from '../../../src/sqlite/writer/dedupe/index-in-memory.ts';
import type { DedupeEntry } from '../../../src/sqlite/writer/dedupe/ring.ts';

/** Hashes that collide a lot, so that entries share runs of the table. */
const hash = fc.record({
  keyHigh: fc.constant(0),
  keyLow: fc.nat(40).map((value) => value * 512),
  contentHigh: fc.constant(0),
  contentLow: fc.nat(2),
});

const step = fc.oneof(
  { weight: 10, arbitrary: fc.record({ type: fc.constant('add' as const), hash }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('wait' as const), ms: fc.nat(30) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('rewind' as const), by: fc.nat(3) }) },
);

const WINDOW = { windowMs: 100, count: 25 };

it('knows exactly the entries of the window, like a plain list of them', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), hash, (steps, probe) => {
      const index = createDedupeIndex(WINDOW);
      let list: DedupeEntry[] = [];
      let now = 0;
      for (const [position, action] of steps.entries()) {
        if (action.type === 'wait') now += action.ms;
        else if (action.type === 'rewind') {
          index.rewind(index.mark() - Math.min(action.by, list.length));
          list = list.slice(0, list.length - Math.min(action.by, list.length));
        } else {
          const entry = { ...action.hash, position, at: now };
          index.find(entry, now - WINDOW.windowMs, now - WINDOW.windowMs);
          index.add(entry);
          list = [...list, entry].filter(({ at }) => at + WINDOW.windowMs > now);
          index.find(entry, now - WINDOW.windowMs, now - WINDOW.windowMs);
          list = list.slice(-WINDOW.count);
        }
        const found = index.find(probe, now - WINDOW.windowMs, now - WINDOW.windowMs);
        list = list.filter(({ at }) => at + WINDOW.windowMs > now);
        const sameKey = list.filter(({ keyLow }) => keyLow === probe.keyLow);
        const sameContent = sameKey.filter(({ contentLow }) => contentLow === probe.contentLow);
        expect(found.type).toBe(sameContent.length > 0 ? 'duplicate' : sameKey.length > 0 ? 'mismatch' : 'unknown');
        const first = sameContent[0] ?? sameKey[0];
        if (first) expect(found).toMatchObject({ position: first.position, count: sameKey.length });
        expect(index.size()).toBe(list.length);
        expect(index.oldest()).toBe(list[0]?.position);
      }
    }),
    { numRuns: 200 },
  );
});

it('holds a million keys in a growing table', () => {
  const index = createDedupeIndex({ count: 1_000_000 });
  const entry = (number: number) => {
    const keyLow = Math.imul(number, 2654435761) >>> 0;
    return { keyHigh: number >>> 0, keyLow, contentHigh: 1, contentLow: number };
  };
  for (let number = 0; number < 1_000_100; number++) index.add({ ...entry(number), position: number, at: number });
  expect(index.find(entry(0), -1, -1)).toEqual({ type: 'unknown', count: 0 });
  for (const number of [100, 5000, 999_999, 1_000_099]) {
    expect(index.find(entry(number), -1, -1)).toMatchObject({ type: 'duplicate', position: number });
  }
  expect(index.size()).toBe(1_000_000);
});
