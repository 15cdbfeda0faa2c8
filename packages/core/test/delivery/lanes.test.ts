import type { Position } from '@magpie/bus';
import type { Clock, Event } from '@magpie/contract';
import type { Order } from '@magpie/routing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Delivery } from '../../src/delivery/delivery.ts';
import { Lanes } from '../../src/delivery/lanes.ts';
import { WakeUp } from '../../src/delivery/wake-up.ts';

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

/** A clock whose backoffs are over at once. */
const atOnce: Clock = {
  now: () => 0,
  monotonic: () => 0,
  timeout: (_, run) => {
    run();
    return () => undefined;
  },
};

const newLanes = (order: Order): Lanes => new Lanes(order, atOnce, new WakeUp());

const deliveryOf = (lanes: Lanes, offset: number, key: string): Delivery => ({
  position: `e:0:${offset}` as Position,
  event,
  lane: lanes.laneFor(key),
  state: 'ready',
  attempts: [],
  redelivered: false,
  suspicion: undefined,
  place: undefined,
  isQuiet: false,
  nextAttempt: undefined,
  remembered: false,
  parked: false,
  error: undefined,
});

const launchNext = (lanes: Lanes): Delivery | undefined => {
  const next = lanes.next();
  if (next) lanes.launch(next, true);
  return next;
};

const confirm = (lanes: Lanes, delivery: Delivery): void => {
  lanes.landed(delivery);
  lanes.leave(delivery);
  delivery.state = 'settled';
  lanes.forget(delivery);
};

const refuse = (lanes: Lanes, delivery: Delivery): void => {
  lanes.landed(delivery);
  lanes.refuse(delivery, 'failed');
};

const add = (lanes: Lanes, count: number, key = 'k'): readonly Delivery[] =>
  Array.from({ length: count }, (_, index) => {
    const delivery = deliveryOf(lanes, index + 1, key);
    lanes.add(delivery);
    return delivery;
  });

describe('the lanes', () => {
  it('pipelines a lane in log order', () => {
    const lanes = newLanes('key');
    const [a, b, c] = add(lanes, 3);
    expect([launchNext(lanes), launchNext(lanes), launchNext(lanes), lanes.next()]).toEqual([a, b, c, undefined]);
  });

  it('keeps one in flight per lane with order strict', () => {
    const lanes = newLanes('strict');
    const [a, b] = add(lanes, 2);
    expect(launchNext(lanes)).toBe(a);
    expect(lanes.next()).toBeUndefined();
    confirm(lanes, a!);
    expect(lanes.next()).toBe(b);
  });

  it('stops only the lane of a refused delivery', () => {
    const lanes = newLanes('key');
    const [a] = add(lanes, 2, 'one');
    const [other] = add(lanes, 1, 'two');
    launchNext(lanes);
    refuse(lanes, a!);
    expect(lanes.next()).toBe(other);
  });

  it('sends the refused one again alone, then its successors', () => {
    const lanes = newLanes('key');
    const [a, b, c] = add(lanes, 3);
    launchNext(lanes);
    launchNext(lanes);
    refuse(lanes, a!);
    lanes.retryIn(a!, 0);
    expect(lanes.next(), 'b is still in flight').toBeUndefined();
    confirm(lanes, b!);
    lanes.retry(a!.lane);
    expect(launchNext(lanes)).toBe(a);
    expect(lanes.next()).toBeUndefined();
    confirm(lanes, a!);
    expect(launchNext(lanes)).toBe(c);
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
          const lanes = newLanes(order);
          const all: Delivery[] = [];
          for (const { act, key, pick } of steps) {
            const flying = all.filter(({ state }) => state === 'flight');
            const chosen = flying[pick % Math.max(1, flying.length)];
            if (act === 'add') {
              all.push(deliveryOf(lanes, all.length + 1, `${key}`));
              lanes.add(all.at(-1)!);
            } else if (act === 'launch') {
              const next = lanes.next();
              if (!next) continue;
              const earlier = all
                .slice(0, all.indexOf(next))
                .filter(({ lane, state }) => lane === next.lane && state !== 'settled');
              expect(earlier.every(({ state }) => state === 'flight')).toBe(true);
              expect(earlier.length === 0 || order === 'key').toBe(true);
              lanes.launch(next, true);
            } else if (act === 'confirm' && chosen) {
              confirm(lanes, chosen);
            } else if (act === 'refuse' && chosen) {
              refuse(lanes, chosen);
              lanes.retry(chosen.lane);
            } else if (act === 'due') {
              const stopped = all.find(({ state }) => state === 'failed');
              if (stopped) lanes.retryIn(stopped, 0);
            }
          }
        },
      ),
    );
  });

  it('delivers everything in the end when refusals stop', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(2), { minLength: 1, maxLength: 40 }), fc.array(fc.boolean()), (keys, verdicts) => {
        const lanes = newLanes('key');
        const all = keys.map((key, index) => deliveryOf(lanes, index + 1, `${key}`));
        for (const delivery of all) lanes.add(delivery);
        let turn = 0;
        for (let round = 0; round < 500 && all.some(({ state }) => state !== 'settled'); round++) {
          while (launchNext(lanes));
          for (const flying of all.filter(({ state }) => state === 'flight')) {
            if (verdicts[turn++] === false) refuse(lanes, flying);
            else confirm(lanes, flying);
            lanes.retry(flying.lane);
          }
          for (const each of all) if (each.state === 'failed') lanes.retryIn(each, 0);
        }
        expect(all.every(({ state }) => state === 'settled')).toBe(true);
      }),
    );
  });
});
