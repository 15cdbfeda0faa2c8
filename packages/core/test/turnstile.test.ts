import { describe, expect, it } from 'vitest';
import { createTurnstile } from '../src/intake/held-calls.ts';
import { Gate } from '../src/intake/holds.ts';

describe('a turnstile', () => {
  it('lets calls overlap while nothing holds', async () => {
    const started: number[] = [];
    const turnstile = createTurnstile<number, number>(
      () => false,
      async () => undefined,
      async (item) => {
        started.push(item);
        await new Promise((resolve) => setImmediate(resolve));
        return item;
      },
    );
    const all = [1, 2, 3].map(turnstile.pass);
    expect(started).toEqual([1, 2, 3]);
    expect(await Promise.all(all)).toEqual([1, 2, 3]);
  });

  it('keeps the order of calls that fail for space while more come in', async () => {
    const gate = new Gate();
    const done: number[] = [];
    let full = true;
    const turnstile = createTurnstile<number, number>(
      () => gate.heldBy('a') !== undefined,
      () => gate.opened('a'),
      async (item) => {
        await new Promise((resolve) => setImmediate(resolve));
        if (full) gate.hold('disk', 'disk', 'no space');
        if (full) return undefined;
        done.push(item);
        return item;
      },
    );
    const first = [1, 2, 3].map(turnstile.pass);
    await new Promise((resolve) => setTimeout(resolve, 10));
    const later = [4, 5].map(turnstile.pass);
    expect(turnstile.waiting).toBe(5);
    full = false;
    gate.release('disk');
    expect(await Promise.all([...first, ...later])).toEqual([1, 2, 3, 4, 5]);
    expect(done).toEqual([1, 2, 3, 4, 5]);
  });
});

describe('the gate', () => {
  it('holds only the connections that feed a full target', () => {
    const gate = new Gate();
    gate.hold('backlog a/b', 'backlog', 'a/b is full', new Set(['floor']));
    expect(gate.heldBy('floor')).toMatchObject({ cause: 'backlog', reason: 'a/b is full' });
    expect(gate.heldBy('erp')).toBeUndefined();
    gate.release('backlog a/b');
    expect(gate.heldBy('floor')).toBeUndefined();
  });

  it('holds everyone while the disk is full', () => {
    const gate = new Gate();
    gate.hold('disk', 'disk', 'no space');
    expect(gate.heldBy('anyone')?.cause).toBe('disk');
  });
});
