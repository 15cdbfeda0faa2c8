import { createMemoryLog, matchesFilter, type Position, type StoredEvent } from '@magpie/bus';
import { type AddressPattern, type Event, matchesPattern, newRef, type PatternSegment } from '@magpie/contract';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EventFilter } from '../../src/gateway-api/index.ts';
import { createAudience } from '../../src/log-access/event-waiters.ts';
import { createTail } from '../../src/log-access/tail.ts';
import { Stream } from '../../src/reads/subscription.ts';

const eventOf = (source: string, place: readonly string[], kind: Event['kind'] = 'message'): Event => ({
  ...{ ref: newRef(), source, kind, key: 'k', time: 0, receivedAt: Date.now() },
  address: { scheme: 'channel', segments: [...place] },
  ...{ body: Buffer.from(place.join('/')), headers: [], via: [], origin: {} },
});
const place = (offset: number): Position => `e:0:${offset}` as Position;
const literal = (value: string): PatternSegment => ({ type: 'literal', value });
const pattern = (...segments: readonly PatternSegment[]): AddressPattern => ({ scheme: 'channel', segments });

/** A log with a tail, and what a stream of it is given. */
function scene() {
  const log = createMemoryLog({});
  const tail = createTail(log);
  let reads = 0;
  const reader = {
    ...tail,
    read: (after: Position | undefined, limit: number) => {
      reads++;
      return tail.read(after, limit);
    },
  };
  const publish = async (...events: readonly Event[]): Promise<void> => {
    const results = await log.commit({ append: events.map((event) => ({ event })) });
    tail.push(results.map(({ position }, index): StoredEvent => ({ position, event: events[index]! })));
  };
  const stream = (filter: EventFilter, credit = 1000) => {
    const seen: string[] = [];
    const sink = {
      events: (batch: readonly StoredEvent[]) => void seen.push(...batch.map(({ event }) => String(event.body))),
      gap: () => void seen.push('gap'),
      failed: (error: Error) => void seen.push(error.message),
    };
    const made = new Stream({ reader, filter, from: tail.head(), sink, oldest: async () => undefined });
    made.credit(credit);
    return { stream: made, seen };
  };
  return { publish, stream, reads: () => reads };
}

const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20));

describe('waiting for new events', () => {
  it('hears of the first that passes its filter, whatever the filter, and of the place before it', () => {
    const segment = fc.constantFrom('a', 'b', 'c');
    const step = fc.oneof(segment.map(literal), fc.constant<PatternSegment>({ type: 'one' }));
    const filter: fc.Arbitrary<EventFilter> = fc.record(
      {
        connection: fc.constantFrom('left', 'right'),
        pattern: fc
          .tuple(fc.array(step, { minLength: 1, maxLength: 3 }), fc.boolean())
          .map(([steps, many]) => pattern(...steps, ...(many ? [{ type: 'many' } as const] : []))),
        kinds: fc.subarray<Event['kind']>(['message', 'status']),
      },
      { requiredKeys: [] },
    );
    const event = fc
      .tuple(
        fc.constantFrom('left', 'right'),
        fc.array(segment, { minLength: 1, maxLength: 3 }),
        fc.constantFrom<Event['kind']>('message', 'status'),
      )
      .map((parts) => eventOf(...parts));
    fc.assert(
      fc.property(fc.array(filter, { maxLength: 8 }), fc.array(event, { maxLength: 12 }), (filters, events) => {
        const audience = createAudience(place(0));
        const heard = filters.map((): (Position | undefined)[] => []);
        for (const [index, each] of filters.entries()) audience.wait(each, (before) => heard[index]?.push(before));
        audience.push(events.map((each, index) => ({ position: place(index + 1), event: each })));
        const expected = filters.map((each) => {
          const first = events.findIndex((candidate) => matchesFilter(each, candidate));
          return first < 0 ? [] : [place(first)];
        });
        expect(heard).toEqual(expected);
      }),
      { numRuns: 300 },
    );
  });

  it('hears nothing once it has left', () => {
    const audience = createAudience(undefined);
    const heard: unknown[] = [];
    const leave = audience.wait({ pattern: pattern(literal('a')) }, (before) => heard.push(before));
    leave();
    leave();
    audience.push([{ position: place(1), event: eventOf('left', ['a']) }]);
    expect(heard).toEqual([]);
  });
});

describe('streams that wait', () => {
  it('cost nothing while events are for others', async () => {
    const { publish, stream, reads } = scene();
    const idle = Array.from({ length: 1000 }, (_, index) => stream({ pattern: pattern(literal(`idle-${index}`)) }));
    const busy = stream({ connection: 'left', pattern: pattern(literal('a'), { type: 'many' }) });
    await settled();
    const before = reads();
    for (let index = 0; index < 50; index++) await publish(eventOf('left', ['a', `${index}`]));
    await settled();
    expect(busy.seen).toEqual(Array.from({ length: 50 }, (_, index) => `a/${index}`));
    expect(idle.every(({ seen }) => seen.length === 0)).toBe(true);
    expect(reads() - before).toBeLessThan(500);
    await publish(eventOf('right', ['idle-7']));
    await settled();
    expect(idle.map(({ seen }) => seen.length).indexOf(1)).toBe(7);
  });

  it('miss nothing and see nothing twice, however events and streams interleave', async () => {
    const { publish, stream } = scene();
    const wanted = pattern({ type: 'one' }, literal('b'));
    const all = Array.from({ length: 20 }, () => stream({ pattern: wanted }, 3));
    const sent: Event[] = [];
    for (let round = 0; round < 60; round++) {
      const events = Array.from({ length: 1 + (round % 4) }, (_, index) =>
        eventOf('left', [`${round}-${index}`, round % 3 === 0 ? 'b' : 'c']),
      );
      sent.push(...events);
      await publish(...events);
      for (const { stream: each } of all.slice(0, round % 20)) each.credit(round % 5);
      if (round % 7 === 0) for (const { stream: each } of all) each.pause();
      if (round % 7 === 2) for (const { stream: each } of all) each.resume();
    }
    for (const { stream: each } of all) {
      each.resume();
      each.credit(1000);
    }
    await settled();
    const expected = sent.filter(({ address }) => matchesPattern(wanted, address)).map(({ body }) => String(body));
    for (const { seen } of all) expect(seen).toEqual(expected);
  });

  it('get nothing when they are closed while they wait', async () => {
    const { publish, stream } = scene();
    const { stream: closed, seen } = stream({ connection: 'left' });
    await settled();
    closed.close();
    await publish(eventOf('left', ['a']));
    await settled();
    expect(seen).toEqual([]);
  });
});
