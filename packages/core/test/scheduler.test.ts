import type { Position } from '@magpie/bus';
import type { Event } from '@magpie/contract';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Delivery } from '../src/delivery/delivery.ts';
import { Scheduler } from '../src/delivery/lanes.ts';

const event: Event = {
  ref: 'r',
  source: 's',
  address: { scheme: 'channel', segments: ['a'] },
  kind: 'message',
  key: 'k',
  time: 0,
  receivedAt: 0,
  body: new Uint8Array(),
  headers: [],
  via: [],
  origin: {},
};

const deliveryOf = (scheduler: Scheduler, offset: number, key: string): Delivery => ({
  position: `e:0:${offset}` as Position,
  event,
  lane: scheduler.laneFor(key),
  state: 'ready',
  attempts: [],
  redelivered: false,
  nextAttempt: undefined,
  remembered: false,
  parked: false,
  error: undefined,
});

const launchNext = (scheduler: Scheduler): Delivery | undefined => {
  const next = scheduler.next();
  if (next) scheduler.launch(next, true);
  return next;
};

const confirm = (scheduler: Scheduler, delivery: Delivery): void => {
  scheduler.landed(delivery);
  scheduler.leave(delivery);
  delivery.state = 'settled';
  scheduler.forget(delivery);
};

const refuse = (scheduler: Scheduler, delivery: Delivery): void => {
  scheduler.landed(delivery);
  scheduler.refuse(delivery, 'failed');
};

const add = (scheduler: Scheduler, count: number, key = 'k'): readonly Delivery[] =>
  Array.from({ length: count }, (_, index) => {
    const delivery = deliveryOf(scheduler, index + 1, key);
    scheduler.add(delivery);
    return delivery;
  });

describe('the scheduler', () => {
  it('pipelines a lane in log order', () => {
    const scheduler = new Scheduler('key');
    const [a, b, c] = add(scheduler, 3);
    expect([launchNext(scheduler), launchNext(scheduler), launchNext(scheduler), scheduler.next()]).toEqual([
      a,
      b,
      c,
      undefined,
    ]);
  });

  it('keeps one in flight per lane with order strict', () => {
    const scheduler = new Scheduler('strict');
    const [a, b] = add(scheduler, 2);
    expect(launchNext(scheduler)).toBe(a);
    expect(scheduler.next()).toBeUndefined();
    confirm(scheduler, a!);
    expect(scheduler.next()).toBe(b);
  });

  it('stops only the lane of a refused delivery', () => {
    const scheduler = new Scheduler('key');
    const [a] = add(scheduler, 2, 'one');
    const [other] = add(scheduler, 1, 'two');
    launchNext(scheduler);
    refuse(scheduler, a!);
    expect(scheduler.next()).toBe(other);
  });

  it('sends the refused one again alone, then its successors', () => {
    const scheduler = new Scheduler('key');
    const [a, b, c] = add(scheduler, 3);
    launchNext(scheduler);
    launchNext(scheduler);
    refuse(scheduler, a!);
    scheduler.due(a!.lane);
    expect(scheduler.next(), 'b is still in flight').toBeUndefined();
    confirm(scheduler, b!);
    scheduler.retry(a!.lane);
    expect(launchNext(scheduler)).toBe(a);
    expect(scheduler.next()).toBeUndefined();
    confirm(scheduler, a!);
    expect(launchNext(scheduler)).toBe(c);
  });

  it('never launches past an earlier delivery of the lane that is not in flight', () => {
    const step = fc.record({
      act: fc.constantFrom('add', 'launch', 'confirm', 'refuse', 'due'),
      key: fc.nat(2),
      pick: fc.nat(50),
    });
    fc.assert(
      fc.property(
        fc.constantFrom('key' as const, 'strict' as const),
        fc.array(step, { maxLength: 120 }),
        (order, steps) => {
          const scheduler = new Scheduler(order);
          const all: Delivery[] = [];
          for (const { act, key, pick } of steps) {
            const flying = all.filter(({ state }) => state === 'flight');
            const chosen = flying[pick % Math.max(1, flying.length)];
            if (act === 'add') {
              all.push(deliveryOf(scheduler, all.length + 1, `${key}`));
              scheduler.add(all.at(-1)!);
            } else if (act === 'launch') {
              const next = scheduler.next();
              if (!next) continue;
              const earlier = all
                .slice(0, all.indexOf(next))
                .filter(({ lane, state }) => lane === next.lane && state !== 'settled');
              expect(earlier.every(({ state }) => state === 'flight')).toBe(true);
              expect(earlier.length === 0 || order === 'key').toBe(true);
              scheduler.launch(next, true);
            } else if (act === 'confirm' && chosen) {
              confirm(scheduler, chosen);
            } else if (act === 'refuse' && chosen) {
              refuse(scheduler, chosen);
              scheduler.retry(chosen.lane);
            } else if (act === 'due') {
              const stopped = all.find(({ state }) => state === 'failed');
              if (stopped) scheduler.due(stopped.lane);
            }
          }
        },
      ),
    );
  });

  it('delivers everything in the end when refusals stop', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(2), { minLength: 1, maxLength: 40 }), fc.array(fc.boolean()), (keys, verdicts) => {
        const scheduler = new Scheduler('key');
        const all = keys.map((key, index) => deliveryOf(scheduler, index + 1, `${key}`));
        for (const delivery of all) scheduler.add(delivery);
        let turn = 0;
        for (let round = 0; round < 500 && all.some(({ state }) => state !== 'settled'); round++) {
          while (launchNext(scheduler));
          for (const flying of all.filter(({ state }) => state === 'flight')) {
            if (verdicts[turn++] === false) refuse(scheduler, flying);
            else confirm(scheduler, flying);
            scheduler.retry(flying.lane);
          }
          for (const { lane, state } of all) if (state === 'failed') scheduler.due(lane);
        }
        expect(all.every(({ state }) => state === 'settled')).toBe(true);
      }),
    );
  });
});
