import { Transient } from '@magpie/contract';
import { describe, expect, it, vi } from 'vitest';
import { type Bench, bench, retry, text } from './queue-fixture.ts';

/** Confirms what is sent until that was so many. */
async function confirmUpTo({ sent }: Bench, count: number): Promise<void> {
  for (let confirmed = 0; confirmed < count; ) {
    const fresh = sent.slice(confirmed);
    confirmed += fresh.length;
    for (const { confirm } of fresh) confirm();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe('the backlog of a queue', () => {
  it('keeps a long backlog in the log, not in memory, and delivers all of it in order', async () => {
    const b = bench();
    b.up = false;
    for (let index = 0; index < 2500; index++) await b.offer(`${index}`);
    expect(b.queue.load()).toMatchObject({ waiting: 1000, lagging: true });
    b.up = true;
    b.queue.linkChanged();
    for (let round = 0; round < 1000 && b.queue.floor() !== null; round++) {
      for (const { confirm } of b.sent.slice(-10)) confirm();
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(b.bodies()).toEqual(Array.from({ length: 2500 }, (_, index) => `${index}`));
    expect(b.queue.load()).toMatchObject({ waiting: 0, lagging: false });
  });

  it('holds the connection that feeds it when its backlog is full, and lets go when there is room', async () => {
    const b = bench({ backlog: { bytes: 100, age: 1e9, onFull: 'block' } });
    b.up = false;
    for (let index = 0; index < 11; index++) await b.offer('0123456789');
    expect(b.holds.heldBy('floor')).toMatchObject({ cause: 'backlog' });
    expect(b.holds.heldBy('erp')).toBeUndefined();
    b.up = true;
    b.queue.linkChanged();
    for (const { confirm } of b.sent) confirm();
    await b.clock.advance(0);
    expect(b.holds.heldBy('floor')).toBeUndefined();
  });

  it('still holds who feeds it after a restart, while old deliveries make room and new ones wait in the log', async () => {
    const former = bench();
    former.up = false;
    for (let index = 0; index < 3000; index++) await former.offer('0123456789');
    await former.writer.flush();
    former.queue.stop();
    const b = bench({ backlog: { bytes: 20_000, age: 1e9, onFull: 'block' } }, former);
    b.up = false;
    await expect.poll(() => b.queue.load().waiting).toBe(1000);
    for (let index = 0; index < 1500; index++) await b.offer('0123456789');
    expect(b.holds.heldBy('floor')).toMatchObject({ cause: 'backlog' });
    b.up = true;
    b.queue.linkChanged();
    await confirmUpTo(b, 1500);
    expect(b.holds.heldBy('floor'), '15,000 bytes of new deliveries wait').toMatchObject({ cause: 'backlog' });
  });

  it('knows after a restart how much waits for it in the log, and lets go when that has gone out', async () => {
    const former = bench({ backlog: { bytes: 20_000, age: 1e9, onFull: 'block' } });
    former.up = false;
    for (let index = 0; index < 3000; index++) await former.offer('0123456789');
    expect(former.holds.heldBy('floor')).toMatchObject({ cause: 'backlog' });
    await former.writer.flush();
    former.queue.stop();
    const b = bench({ backlog: { bytes: 20_000, age: 1e9, onFull: 'block' } }, former);
    b.up = false;
    await expect.poll(() => b.queue.load().waiting).toBe(1000);
    expect(b.holds.heldBy('floor'), '30,000 bytes wait').toMatchObject({ cause: 'backlog' });
    b.up = true;
    b.queue.linkChanged();
    await confirmUpTo(b, 1000);
    expect(b.holds.heldBy('floor'), 'more than 16,000 bytes wait').toMatchObject({ cause: 'backlog' });
    await confirmUpTo(b, 3000);
    expect(b.holds.heldBy('floor')).toBeUndefined();
    await expect.poll(() => b.queue.load()).toMatchObject({ waiting: 0, lagging: false });
  });

  it('writes how much waits in the log only now and then while that grows', async () => {
    const b = bench({ backlog: { bytes: 320_000, age: 1e9, onFull: 'block' } });
    b.up = false;
    for (let index = 0; index < 1001; index++) await b.offer('0123456789');
    await b.writer.flush();
    const touched = vi.spyOn(b.writer, 'touch');
    for (let index = 0; index < 3000; index++) {
      await b.offer('0123456789');
      if (index % 100 === 0) await b.writer.flush();
    }
    expect(touched.mock.calls.length).toBeGreaterThan(0);
    expect(touched.mock.calls.length, 'three times 10,000 bytes, each until it is written').toBeLessThanOrEqual(300);
    const noted = (await b.log.state()).waiting.get(b.queue.consumer);
    expect(noted).toBeGreaterThan(30_000);
    expect(noted).toBeLessThanOrEqual(40_010);
  });

  it.each([
    ['never', 'not', false],
    ['also', '', true],
  ])('%s holds its own connection when sends are %s confirmed while it is held', async (_, __, sendsWhileHeld) => {
    const b = bench({ from: 'chat', backlog: { bytes: 10, age: 1e9, onFull: 'block' } }, undefined, { sendsWhileHeld });
    b.up = false;
    for (let index = 0; index < 3; index++) await b.offer('0123456789');
    expect(b.holds.heldBy('chat') !== undefined).toBe(sendsWhileHeld);
  });

  it('holds nobody whom its own connection waits for, round however many corners, and does so once that is over', async () => {
    const b = bench({ backlog: { bytes: 10, age: 1e9, onFull: 'block' } }, undefined, { sendsWhileHeld: false });
    b.holds.hold('one', 'backlog', 'full', { sources: new Set(['chat']), releasedBy: 'yard' });
    b.holds.hold('two', 'backlog', 'full', { sources: new Set(['yard']), releasedBy: 'floor' });
    b.up = false;
    for (let index = 0; index < 3; index++) await b.offer('0123456789');
    expect(b.holds.heldBy('floor')).toBeUndefined();
    b.holds.release('two');
    await b.offer('0123456789');
    expect(b.holds.heldBy('floor')).toMatchObject({ cause: 'backlog' });
  });

  it('makes dead letters of what comes when its backlog is full, if the route says so', async () => {
    const b = bench({ backlog: { bytes: 100, age: 1e9, onFull: 'dead-letter' } });
    b.up = false;
    for (let index = 0; index < 15; index++) await b.offer(`${index}`.padEnd(10));
    await b.writer.flush();
    const letters = await b.log.deadLetters({ limit: 20 });
    expect(letters.map((letter) => [letter.reason, text(letter.event).trim()])).toEqual([
      ['backlog', '11'],
      ['backlog', '12'],
      ['backlog', '13'],
      ['backlog', '14'],
    ]);
    b.up = true;
    b.queue.linkChanged();
    for (let round = 0; round < 3; round++) {
      for (const { confirm } of b.sent) confirm();
      await b.clock.advance(0);
    }
    expect(b.bodies().map((body) => body.trim())).toEqual(Array.from({ length: 11 }, (_, index) => `${index}`));
    expect(b.holds.heldBy('floor')).toBeUndefined();
  });

  it('gives up until there is some room again, not every other one, and delivers all that it has not given up', async () => {
    const b = bench({ backlog: { bytes: 20_000, age: 1e9, onFull: 'dead-letter' } });
    b.up = false;
    for (let index = 0; index < 2001; index++) await b.offer(`${index}`.padEnd(10));
    b.up = true;
    b.queue.linkChanged();
    const given: boolean[] = [];
    for (let index = 2001; index < 4001; index++) {
      const before = b.results.filter((result) => result === 'dead').length;
      await b.offer(`${index}`.padEnd(10));
      given.push(b.results.filter((result) => result === 'dead').length > before);
      // The target takes one for each that comes.
      b.sent[index - 2001]!.confirm();
      await new Promise((resolve) => setImmediate(resolve));
    }
    const switches = given.filter((isGiven, index) => isGiven !== given[index - 1]);
    expect(switches, 'given up until a fifth of the bound was free').toEqual([true, false]);
    const kept = Array.from({ length: 4001 }, (_, index) => index).filter((index) => !given[index - 2001]);
    for (const { confirm } of b.sent) confirm();
    await confirmUpTo(b, kept.length);
    expect(b.bodies().map(Number)).toEqual(kept);
  });

  it('ends what has expired already at match: it takes no room, and no full backlog makes a dead letter of it', async () => {
    const b = bench({ backlog: { bytes: 100, age: 1e9, onFull: 'dead-letter' } });
    b.up = false;
    for (let index = 0; index < 11; index++) await b.offer('0123456789');
    const expiresAt = b.clock.now();
    for (let index = 0; index < 3; index++) await b.offer(`expired ${index}`, 'k', { expiresAt });
    await b.writer.flush();
    expect(await b.log.deadLetters({ limit: 20 })).toEqual([]);
    expect(b.queue.load()).toMatchObject({ waiting: 11 });
    expect(b.results).toEqual(['expired', 'expired', 'expired']);
    const events = await b.log.read(undefined, 20);
    const outcomes = await Promise.all(events.map(({ event }) => b.log.outcomes(event.ref)));
    expect(outcomes.flat()).toHaveLength(3);
    expect(outcomes.slice(11).flat()).toMatchObject([{ state: 'expired' }, { state: 'expired' }, { state: 'expired' }]);
  });

  it('takes nothing in that has expired while it waited in the log, and counts each once', async () => {
    const b = bench();
    b.up = false;
    for (let index = 0; index < 1000; index++) await b.offer(`${index}`);
    const expiresAt = b.clock.now() + 1000;
    for (let index = 0; index < 500; index++) await b.offer('in time', 'k', { expiresAt });
    await b.clock.advance(1000);
    for (let index = 0; index < 100; index++) await b.offer('too late', 'k', { expiresAt });
    await b.offer('last');
    expect(b.results).toHaveLength(100);
    b.up = true;
    b.queue.linkChanged();
    await confirmUpTo(b, 1001);
    expect(b.bodies().slice(1000)).toEqual(['last']);
    expect(b.results.filter((result) => result === 'expired')).toHaveLength(600);
    await expect.poll(() => b.queue.load()).toMatchObject({ lagging: false, waiting: 0 });
  });

  it('remembers its floor when there is no room left for refused ones and their successors', async () => {
    const b = bench({ retry: { ...retry, attempts: 1, then: 'block' } });
    const megabyte = 'x'.repeat(1024 * 1024);
    await b.offer(megabyte);
    b.sent[0]!.fail(new Transient('no'));
    for (let index = 0; index < 70; index++) {
      await b.offer(megabyte);
      await b.clock.advance(0);
      await b.writer.flush();
    }
    await b.writer.flush();
    const { exceptions, floors } = await b.log.state();
    const floor = floors.get(b.queue.consumer);
    const rows = new Set(exceptions.map(({ position }) => position));
    const later = await b.log.read(floor, 1000);
    const all = await b.log.read(undefined, 1000);
    expect(floor).toBeDefined();
    expect(
      all.filter(({ position }) => !rows.has(position) && !later.some((each) => each.position === position)),
    ).toEqual([]);
  });

  it('goes on after two large deliveries are confirmed in one turn', async () => {
    const b = bench();
    await b.offer('a'.repeat(1024 * 1024));
    await b.offer('b'.repeat(16 * 1024 * 1024));
    await b.offer('third');
    for (const { confirm } of b.sent) confirm();
    await expect.poll(() => b.sent.length).toBe(3);
    for (const { confirm } of b.sent) confirm();
    await b.clock.advance(0);
    await b.offer('fourth');
    await expect.poll(() => b.bodies().at(-1)).toBe('fourth');
  });

  it('holds nobody once its target has been removed', async () => {
    const b = bench({ backlog: { bytes: 10, age: 1e9, onFull: 'block' } });
    await b.offer('0123456789');
    await b.offer('0123456789');
    expect(b.holds.heldBy('floor')).toBeDefined();
    b.queue.stop();
    expect(b.holds.heldBy('floor')).toBeUndefined();
    b.sent[0]!.confirm();
    await b.clock.advance(0);
    expect(b.holds.heldBy('floor')).toBeUndefined();
  });

  it('sends nothing before begin, and then all that came since', async () => {
    const b = bench({}, undefined, { begin: false });
    await b.offer('1');
    await b.offer('2');
    expect(b.sent).toEqual([]);
    await b.writer.flush();
    expect((await b.log.state()).floors.size, 'it does not touch what the log remembers').toBe(0);
    b.queue.begin(undefined);
    await expect.poll(b.bodies).toEqual(['1', '2']);
  });
});
