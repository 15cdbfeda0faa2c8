import { Transient } from '@magpie/contract';
import { describe, expect, it } from 'vitest';
import { createTurns } from '../../src/send/send-order.ts';

const never = new AbortController().signal;

describe('turns of sends', () => {
  it('are taken before the call returns while nobody waits', () => {
    const turns = createTurns();
    expect(turns.take(undefined, never, () => 'gone')).toBe('gone');
  });

  it('keep call order when an earlier one has to wait, also for those called as it goes', async () => {
    const turns = createTurns();
    const order: number[] = [];
    const ready = Promise.withResolvers<void>();
    const calls = [
      turns.take(ready.promise, never, () => order.push(1)),
      turns.take(undefined, never, () => order.push(2)),
    ];
    await Promise.resolve();
    expect(order).toEqual([]);
    ready.resolve();
    for (let next = 3; next < 20; next++) {
      calls.push(turns.take(undefined, never, () => order.push(next)));
      await Promise.resolve();
    }
    await calls.at(-1);
    expect(order).toEqual([...order].sort((a, b) => a - b));
    expect(turns.take(undefined, never, () => 'free again')).toBe('free again');
  });

  it('go on after one that failed, and after one that was cancelled before its time', async () => {
    const turns = createTurns();
    const order: string[] = [];
    const [missing, slow] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const cancel = new AbortController();
    const failing = turns.take(missing.promise, never, () => order.push('missing'));
    const cancelled = turns.take(slow.promise, cancel.signal, () => order.push('cancelled'));
    const last = turns.take(undefined, never, () => order.push('last'));
    missing.reject(new Transient('no such exchange'));
    await expect(failing).rejects.toMatchObject({ name: 'Transient' });
    cancel.abort();
    await expect(cancelled).rejects.toMatchObject({ name: 'Aborted' });
    expect(order).toEqual([]);
    slow.resolve();
    await last;
    expect(order).toEqual(['last']);
  });
});
