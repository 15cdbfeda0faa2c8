import { LogFailed } from '@magpie/bus';
import { newRef } from '@magpie/contract';
import { expect } from 'vitest';
import { appendAll, type BusCases, manualTime, testEvent, testEvents } from './bench.ts';

const HOUR = 3_600_000;
const NO_LIMIT = 1e15;

/** Retention, sizes and closing. */
export const retentionCases: BusCases = {
  'events older than the age limit go, younger ones stay': async ({ open }) => {
    const clock = manualTime();
    const log = await open({ clock });
    const events = Array.from({ length: 10 }, (_, hour) => testEvent({ receivedAt: clock.now() + hour * HOUR }));
    const positions = await appendAll(log, events);
    clock.advance(10 * HOUR);
    expect(await log.retain({ maxAge: 5 * HOUR, maxBytes: NO_LIMIT, floor: undefined })).toBe(5);
    expect((await log.read(undefined, 100)).map(({ position }) => position)).toEqual(positions.slice(5));
    expect(await log.stats()).toMatchObject({ events: 5, oldest: positions[5] });
    expect(await log.find(events[0]!.ref)).toBeUndefined();
    expect(await log.retain({ maxAge: 5 * HOUR, maxBytes: NO_LIMIT, floor: undefined })).toBe(0);
  },

  'the oldest events go until the log is within its size limit': async ({ open }) => {
    const log = await open();
    await appendAll(log, testEvents(100, { body: new Uint8Array(10_000) }));
    const { bytes } = await log.stats();
    expect(bytes).toBeGreaterThan(1_000_000);
    expect(bytes).toBeLessThan(1_200_000);
    const removed = await log.retain({ maxAge: NO_LIMIT, maxBytes: 500_000, floor: undefined });
    const after = await log.stats();
    expect(removed).toBeGreaterThan(48);
    expect(after.events).toBe(100 - removed);
    expect(after.bytes).toBeLessThanOrEqual(500_000);
    expect(after.bytes).toBeGreaterThan(480_000);
  },

  'retention never passes the floor': async ({ open }) => {
    const clock = manualTime();
    const log = await open({ clock });
    const positions = await appendAll(log, testEvents(20, { receivedAt: clock.now() }));
    clock.advance(HOUR);
    const limits = { maxAge: 1, maxBytes: 0 };
    expect(await log.retain({ ...limits, floor: positions[6]! })).toBe(7);
    expect((await log.stats()).oldest).toBe(positions[7]);
    expect(await log.retain({ ...limits, floor: positions[2]! })).toBe(0);
    expect(await log.retain({ ...limits, floor: undefined })).toBe(13);
    expect(await log.stats()).toEqual({ events: 0, bytes: 0, deadLetters: 0, oldest: undefined });
    expect(log.head()).toBe(positions.at(-1));
  },

  'retention of many events does not hold up commits': async ({ open }) => {
    const log = await open();
    for (let round = 0; round < 10; round++) await appendAll(log, testEvents(1000));
    const retained = log.retain({ maxAge: NO_LIMIT, maxBytes: 0, floor: log.head() });
    const appended = await appendAll(log, testEvents(3));
    expect(await retained).toBe(10_000);
    expect((await log.read(undefined, 10)).map(({ position }) => position)).toEqual(appended);
  },

  'outcomes go with the events they belong to': async ({ open }) => {
    const clock = manualTime();
    const log = await open({ clock });
    const old = testEvent({ receivedAt: clock.now() });
    const young = testEvent({ receivedAt: clock.now() + HOUR });
    await appendAll(log, [old, young]);
    const outcome = { consumer: 'a', state: 'confirmed', attempts: 1 } as const;
    await log.commit({
      outcomes: [
        { ...outcome, ref: old.ref, at: old.receivedAt + 5 },
        { ...outcome, ref: young.ref, at: young.receivedAt + 5 },
      ],
    });
    clock.advance(2 * HOUR);
    await log.retain({ maxAge: 1.5 * HOUR, maxBytes: NO_LIMIT, floor: undefined });
    expect(await log.outcomes(old.ref)).toEqual([]);
    expect(await log.outcomes(young.ref)).toHaveLength(1);
  },

  'a log with room for events says so': async ({ open }) => {
    const log = await open();
    await appendAll(log, testEvents(1));
    await expect.poll(() => log.space().intake, { timeout: 10_000 }).toBe(true);
    expect(log.space()).not.toHaveProperty('refusal');
  },

  'close waits for outstanding commits and can be called again': async (bench) => {
    const log = await bench.open();
    const commits = Promise.all(Array.from({ length: 50 }, () => appendAll(log, [testEvent()])));
    await Promise.all([log.close(), log.close()]);
    expect(await commits).toHaveLength(50);
    await log.close();
  },

  'a retention run ends when the log is closed': async ({ open }) => {
    const log = await open();
    for (let round = 0; round < 10; round++) await appendAll(log, testEvents(1000));
    const retained = Promise.allSettled([log.retain({ maxAge: NO_LIMIT, maxBytes: 0, floor: undefined })]);
    await log.close();
    const [result] = await retained;
    if (result.status === 'rejected') expect(result.reason).toBeInstanceOf(LogFailed);
    else expect(result.value).toBe(10_000);
  },

  'nothing is taken after close': async ({ open }) => {
    const log = await open();
    await log.close();
    await expect(log.commit({ append: [{ event: testEvent() }] })).rejects.toThrow(LogFailed);
    await expect(log.commit({ outcomes: [] })).rejects.toThrow('closed');
    await expect(log.outcomes(newRef()).then(() => log.commit({}))).rejects.toThrow(LogFailed);
  },
};
