import type { EventFilter, EventsFound, StoredEvent } from '@magpie/bus';
import type { Event } from '@magpie/contract';
import { expect } from 'vitest';
import { appendAll, type BusCases, testEvent, testEvents } from './bench.ts';

const KIB = 1024;

const refsOf = (events: readonly StoredEvent[]): readonly string[] => events.map(({ event }) => event.ref);

const big = (count: number, bytes: number): Event[] => testEvents(count, { body: new Uint8Array(bytes) });

/** Pages that are bounded in bytes, and searches by what an event says. */
export const searchCases: BusCases = {
  'a page holds at most the bytes asked for, but always one event': async ({ open }) => {
    const log = await open();
    const events = big(6, 100 * KIB);
    await appendAll(log, events);
    const refs = events.map(({ ref }) => ref);
    expect(refsOf(await log.read(undefined, 100, 250 * KIB))).toEqual(refs.slice(0, 2));
    expect(refsOf(await log.readBack(undefined, 100, 250 * KIB))).toEqual(refs.toReversed().slice(0, 2));
    expect(refsOf(await log.read(undefined, 100, 1))).toEqual(refs.slice(0, 1));
    const found = await log.search({ filter: {}, limit: 100, maxBytes: 250 * KIB });
    expect(refsOf(found.events)).toEqual(refs.slice(0, 2));
    expect(found).toMatchObject({ reached: found.events[1]?.position, isEnd: false });
    expect(await log.search({ filter: {}, limit: 100, maxBytes: 1 })).toMatchObject({ scanned: 1 });
  },

  'a page of large events is short without being asked': async ({ open }) => {
    const log = await open();
    await appendAll(log, big(8, 400 * KIB));
    for (const page of [await log.read(undefined, 500), await log.readBack(undefined, 500)]) {
      expect(page.length).toBe(2);
    }
    expect((await log.search({ filter: {}, limit: 500 })).events.length).toBe(2);
  },

  'a search finds by connection, address and kind, in either direction': async ({ open }) => {
    const log = await open();
    const place = (segments: readonly string[]) => ({ address: { scheme: 'topic', segments } });
    const events = [
      testEvent({ source: 'a', ...place(['x', 'y']) }),
      testEvent({ source: 'b', ...place(['x', 'y']) }),
      testEvent({ source: 'a', ...place(['x', 'z']), kind: 'status' }),
      testEvent({ source: 'a', address: { scheme: 'other', segments: ['x', 'y'] } }),
      testEvent({ source: 'an "odd" one', ...place(['ü/y']) }),
    ];
    await appendAll(log, events);
    const places = async (filter: EventFilter, back = false) => {
      const { events: found, isEnd, scanned } = await log.search({ filter, back, limit: 10 });
      expect([isEnd, scanned]).toEqual([true, events.length]);
      return refsOf(found).map((ref) => events.findIndex((event) => event.ref === ref));
    };
    expect(await places({})).toEqual([0, 1, 2, 3, 4]);
    expect(await places({ connection: 'a' })).toEqual([0, 2, 3]);
    expect(await places({ connection: 'a' }, true)).toEqual([3, 2, 0]);
    expect(await places({ connection: 'an "odd" one' })).toEqual([4]);
    expect(await places({ kinds: ['status', 'receipt'] })).toEqual([2]);
    const below = { scheme: 'topic', segments: [{ type: 'literal', value: 'x' }, { type: 'one' }] } as const;
    expect(await places({ pattern: below })).toEqual([0, 1, 2]);
    expect(await places({ pattern: below, connection: 'b', kinds: ['message'] })).toEqual([1]);
  },

  'a search says how far it has looked, and goes on from there': async ({ open }) => {
    const log = await open();
    const events = Array.from({ length: 5000 }, (_, index) =>
      testEvent({ source: index % 1000 === 999 ? 'rare' : 'common' }),
    );
    const positions = await appendAll(log, events);
    const rare = { filter: { connection: 'rare' }, limit: 2 };
    const first = await log.search(rare);
    expect(refsOf(first.events)).toEqual([events[999]?.ref, events[1999]?.ref]);
    expect(first).toMatchObject({ reached: positions[1999], scanned: 2000, isEnd: false });
    const second = await log.search({ ...rare, from: first.reached!, maxScan: 1500 });
    expect(refsOf(second.events)).toEqual([events[2999]?.ref]);
    expect(second).toMatchObject({ reached: positions[3499], scanned: 1500, isEnd: false });
    const last = await log.search({ ...rare, from: second.reached!, limit: 10 });
    expect(refsOf(last.events)).toEqual([events[3999]?.ref, events[4999]?.ref]);
    expect(last).toMatchObject({ reached: positions[4999], scanned: 1500, isEnd: true });
    const nothing = await log.search({ ...rare, from: positions[4999]! });
    expect(nothing).toEqual<EventsFound>({ events: [], reached: undefined, scanned: 0, isEnd: true });
    const back = await log.search({ filter: { connection: 'nobody' }, back: true, limit: 1, maxScan: 10 });
    expect(back).toEqual<EventsFound>({ events: [], reached: positions[4990], scanned: 10, isEnd: false });
  },

  'a search that reaches its limit with the last event says that there may be more': async ({ open }) => {
    const log = await open();
    await appendAll(log, testEvents(3));
    expect(await log.search({ filter: {}, limit: 3 })).toMatchObject({ scanned: 3, isEnd: false });
    expect(await log.search({ filter: {}, limit: 3, maxScan: 3 })).toMatchObject({ scanned: 3, isEnd: false });
    expect(await log.search({ filter: {}, limit: 4 })).toMatchObject({ scanned: 3, isEnd: true });
  },
};
