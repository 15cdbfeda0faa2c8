import { comparePositions } from '@magpie/bus';
import { newRef } from '@magpie/contract';
import { expect } from 'vitest';
import { appendAll, type BusCases, firstOf, manualTime, NO_STATE, testEvent, testEvents } from './bench.ts';

/** Appending, reading and finding events. */
export const logCases: BusCases = {
  'an empty log has no head, no events, no state and no alarms': async ({ open }) => {
    const log = await open();
    expect(log.head()).toBeUndefined();
    expect(await log.read(undefined, 10)).toEqual([]);
    expect(await log.readBack(undefined, 10)).toEqual([]);
    expect(await log.state()).toEqual(NO_STATE);
    expect(await log.lowestFloor()).toBeUndefined();
    expect(await log.stats()).toEqual({ events: 0, bytes: 0, deadLetters: 0, oldest: undefined });
    expect(await log.positionBefore(0)).toBeUndefined();
    expect(log.alarms()).toEqual([]);
  },

  'events are read in the order they were appended, from any position': async ({ open }) => {
    const log = await open();
    const events = testEvents(10);
    const positions = await appendAll(log, events);
    expect(positions).toEqual(positions.toSorted(comparePositions));
    expect(new Set(positions).size).toBe(10);
    expect(log.head()).toBe(positions.at(-1));
    const refs = events.map(({ ref }) => ref);
    const read = async (from: number | undefined, limit: number) =>
      (await log.read(from === undefined ? undefined : positions[from], limit)).map(({ event }) => event.ref);
    expect(await read(undefined, 100)).toEqual(refs);
    expect(await read(undefined, 3)).toEqual(refs.slice(0, 3));
    expect(await read(3, 4)).toEqual(refs.slice(4, 8));
    expect(await read(9, 4)).toEqual([]);
    expect((await log.read(positions[3], 1)).map(({ position }) => position)).toEqual([positions[4]]);
  },

  'events are read back from the newest or from any position': async ({ open }) => {
    const log = await open();
    const events = testEvents(6);
    const positions = await appendAll(log, events);
    const refs = events.map(({ ref }) => ref).toReversed();
    const newest = await log.readBack(undefined, 2);
    expect(newest.map(({ event }) => event.ref)).toEqual(refs.slice(0, 2));
    const older = await log.readBack(positions[3], 100);
    expect(older.map(({ event }) => event.ref)).toEqual(refs.slice(3));
    expect(await log.readBack(positions[0], 5)).toEqual([]);
  },

  'a read sees every resolved commit': async ({ open }) => {
    const log = await open();
    for (let count = 1; count <= 20; count++) {
      await appendAll(log, [testEvent()]);
      expect(await log.read(undefined, 100)).toHaveLength(count);
    }
  },

  'concurrent commits resolve in call order with rising positions': async ({ open }) => {
    const log = await open();
    const resolved: number[] = [];
    const commits = Array.from({ length: 300 }, async (_, index) => {
      const [position] = await appendAll(log, [testEvent({ subject: String(index) })]);
      resolved.push(index);
      return position!;
    });
    const positions = await Promise.all(commits);
    expect(resolved).toEqual(commits.map((_, index) => index));
    expect(positions).toEqual(positions.toSorted(comparePositions));
    const subjects = (await log.read(undefined, 1000)).map(({ event }) => event.subject);
    expect(subjects).toEqual(commits.map((_, index) => String(index)));
  },

  'positions go on after a reopen and are never reused, even when retention has emptied the log': async (bench) => {
    const first = await bench.open();
    const before = await appendAll(first, testEvents(5));
    const reopened = await bench.reopen();
    expect(reopened.head()).toBe(before.at(-1));
    expect(await reopened.read(undefined, 10)).toHaveLength(5);
    expect(reopened.parsePosition(before[0]!)).toBe(before[0]);
    await reopened.retain({ maxAge: 1e12, maxBytes: 0, floor: undefined });
    const emptied = await bench.reopen();
    expect(emptied.head()).toBe(before.at(-1));
    const [after] = await appendAll(emptied, [testEvent()]);
    expect(comparePositions(after!, before.at(-1)!)).toBeGreaterThan(0);
  },

  'receivedAt never goes back within a log': async (bench) => {
    const log = await bench.open();
    const now = Date.now();
    await appendAll(log, [testEvent({ receivedAt: now }), testEvent({ receivedAt: now - 5000 })]);
    const reopened = await bench.reopen();
    await appendAll(reopened, [testEvent({ receivedAt: now - 9000 }), testEvent({ receivedAt: now + 1 })]);
    const times = (await reopened.read(undefined, 10)).map(({ event }) => event.receivedAt);
    expect(times).toEqual([now, now, now, now + 1]);
  },

  'an event is found by its ref, an unknown ref is not': async ({ open }) => {
    const log = await open();
    const events = testEvents(50);
    for (const event of events) await appendAll(log, [event]);
    for (const event of [events[0]!, events[25]!, events[49]!]) {
      expect((await log.find(event.ref))?.event).toEqual({ ...event, body: expect.anything() });
    }
    expect(await log.find(newRef())).toBeUndefined();
    expect(await log.find('no-ref-at-all')).toBeUndefined();
  },

  'positionBefore gives the place to start reading from a time': async ({ open }) => {
    const log = await open();
    const time = manualTime();
    const events = Array.from({ length: 20 }, (_, index) => testEvent({ receivedAt: time.now() + index * 10 }));
    const positions = await appendAll(log, events);
    expect(await log.positionBefore(time.now())).toBeUndefined();
    expect(await log.positionBefore(time.now() + 55)).toBe(positions[5]);
    expect(await log.positionBefore(time.now() + 60)).toBe(positions[5]);
    expect(await log.positionBefore(time.now() + 1e6)).toBe(positions.at(-1));
    const next = firstOf(await log.read(await log.positionBefore(time.now() + 60), 1));
    expect(next.event.receivedAt).toBe(time.now() + 60);
  },

  'parsePosition accepts positions of this log only': async ({ open }) => {
    const log = await open();
    const position = firstOf(await appendAll(log, [testEvent()]));
    expect(log.parsePosition(position)).toBe(position);
    const foreign = firstOf(await appendAll(await open(), [testEvent()]));
    for (const text of [
      foreign,
      '',
      'x',
      `${position}x`,
      `${position}.5`,
      position.replace(/\d+$/, '-1'),
      `${position}:1`,
    ]) {
      expect(log.parsePosition(text), text).toBeUndefined();
    }
    await expect(log.commit({ append: [{ event: testEvent() }], matched: foreign })).rejects.toThrow(RangeError);
    await expect(log.read(foreign, 1)).rejects.toThrow(RangeError);
    expect(log.head()).toBe(position);
  },
};
