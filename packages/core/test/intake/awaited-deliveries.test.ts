import { describe, expect, it } from 'vitest';
import { AwaitedDeliveries } from '../../src/intake/awaited-deliveries.ts';

const awaited = (...refs: readonly string[]): AwaitedDeliveries => {
  const made = new AwaitedDeliveries();
  for (const ref of refs) made.expect(ref);
  return made;
};

const state = async (promise: Promise<boolean> | undefined): Promise<unknown> =>
  Promise.race([promise, new Promise((resolve) => setImmediate(() => resolve('open')))]);

describe('an event whose sender wants to know that it has arrived', () => {
  it('has arrived once the last of its targets has confirmed it', async () => {
    const deliveries = awaited('a');
    const told = deliveries.of('a');
    deliveries.matched('a', 2);
    deliveries.ended('a', true);
    expect(await state(told)).toBe('open');
    deliveries.ended('a', true);
    expect(await state(told)).toBe(true);
    expect(deliveries.of('a')).toBeUndefined();
  });

  it('has not once one of them never will', async () => {
    const deliveries = awaited('a');
    const told = deliveries.of('a');
    deliveries.matched('a', 2);
    deliveries.ended('a', false);
    deliveries.ended('a', true);
    expect(await state(told)).toBe(false);
  });

  it('nobody has without a target, and nobody before the router has come to it', async () => {
    const deliveries = awaited('a', 'b');
    const [none, early] = [deliveries.of('a'), deliveries.of('b')];
    deliveries.matched('a', 0);
    deliveries.ended('b', true);
    expect([await state(none), await state(early)]).toEqual([false, 'open']);
  });

  it('is not waited for when it was not stored, or when too many are', async () => {
    const deliveries = awaited('a', 'b');
    const oldest = deliveries.of('b');
    deliveries.forget('a');
    for (let index = 0; index < 10_000; index++) deliveries.expect(`more-${index}`);
    expect(deliveries.of('a')).toBeUndefined();
    expect(await state(oldest)).toBe(false);
    deliveries.matched('unknown', 1);
    deliveries.ended('unknown', true);
  });
});
