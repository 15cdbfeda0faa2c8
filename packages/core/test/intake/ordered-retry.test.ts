import { describe, expect, it } from 'vitest';
import { createOrderedRetry } from '../../src/intake/held-calls.ts';
import { IntakeHolds } from '../../src/intake/holds.ts';

describe('a calls', () => {
  it('lets calls overlap while nothing holds', async () => {
    const started: number[] = [];
    const calls = createOrderedRetry<number, number>(
      () => false,
      async () => undefined,
      async (item) => {
        started.push(item);
        await new Promise((resolve) => setImmediate(resolve));
        return item;
      },
    );
    const all = [1, 2, 3].map(calls.pass);
    expect(started).toEqual([1, 2, 3]);
    expect(await Promise.all(all)).toEqual([1, 2, 3]);
  });

  it('keeps the order of calls that fail for space while more come in', async () => {
    const holds = new IntakeHolds();
    const done: number[] = [];
    let full = true;
    const calls = createOrderedRetry<number, number>(
      () => holds.heldBy('a') !== undefined,
      () => holds.opened('a'),
      async (item) => {
        await new Promise((resolve) => setImmediate(resolve));
        if (full) holds.hold('disk', 'disk', 'no space');
        if (full) return undefined;
        done.push(item);
        return item;
      },
    );
    const first = [1, 2, 3].map(calls.pass);
    await new Promise((resolve) => setTimeout(resolve, 10));
    const later = [4, 5].map(calls.pass);
    expect(calls.waiting).toBe(5);
    full = false;
    holds.release('disk');
    expect(await Promise.all([...first, ...later])).toEqual([1, 2, 3, 4, 5]);
    expect(done).toEqual([1, 2, 3, 4, 5]);
  });
});

describe('the holds', () => {
  it('holds only the connections that feed a full target', () => {
    const holds = new IntakeHolds();
    holds.hold('backlog a/b', 'backlog', 'a/b is full', { sources: new Set(['floor']) });
    expect(holds.heldBy('floor')).toMatchObject({ cause: 'backlog', reason: 'a/b is full' });
    expect(holds.heldBy('erp')).toBeUndefined();
    holds.release('backlog a/b');
    expect(holds.heldBy('floor')).toBeUndefined();
  });

  it('holds one place of a connection alone, for whoever names the place', () => {
    const holds = new IntakeHolds();
    holds.hold('backlog a/b', 'backlog', 'a/b is full', { sources: new Set(['erp']), place: 'orders' });
    expect(holds.heldBy('erp', 'orders')).toMatchObject({ reason: 'a/b is full' });
    expect(holds.heldBy('erp', 'invoices')).toBeUndefined();
    expect(holds.heldBy('erp'), 'who names none waits').toBeDefined();
  });

  it('holds everyone while the disk is full', () => {
    const holds = new IntakeHolds();
    holds.hold('disk', 'disk', 'no space');
    expect(holds.heldBy('anyone')?.cause).toBe('disk');
  });
});
