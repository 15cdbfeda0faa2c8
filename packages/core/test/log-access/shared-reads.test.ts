import { createMemoryLog, type EventLog, originOf, type Position, type StoredEvent } from '@magpie/bus';
import { type Event, newRef } from '@magpie/contract';
import { describe, expect, it } from 'vitest';
import { createSharedReads } from '../../src/log-access/shared-reads.ts';

const OVERHEAD = 512;

const eventOf = (body: string): Event => ({
  ref: newRef(),
  source: 's',
  address: { scheme: 'channel', segments: ['a'] },
  kind: 'message',
  key: 'k',
  time: 0,
  receivedAt: Date.now(),
  body: Buffer.from(body),
  headers: [],
  via: [],
  origin: {},
});

/** A log with numbered events, and how often it was read. */
async function counted(count: number) {
  const log = createMemoryLog({});
  const append = Array.from({ length: count }, (_, index) => ({ event: eventOf(`${index}`) }));
  await log.commit({ append });
  const calls = { reads: 0, failing: 0 };
  const read: EventLog['read'] = async (after, limit) => {
    calls.reads++;
    if (calls.failing-- > 0) throw new Error('cannot be read');
    return log.read(after, limit);
  };
  return { log: { read }, calls, origin: originOf(log.head()!), positions: await log.read(undefined, count) };
}

const bodies = (events: readonly StoredEvent[]): string[] =>
  events.map(({ event }) => Buffer.from(event.body).toString());

async function readAll(read: EventLog['read'], from: Position): Promise<string[]> {
  const all: string[] = [];
  for (let after = from; ; ) {
    const events = await read(after, 10);
    if (events.length === 0) return all;
    all.push(...bodies(events));
    after = events.at(-1)!.position;
  }
}

const numbered = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, index) => `${from + index}`);

describe('shared reads', () => {
  it('read the log once for all who catch up together, wherever each of them begins', async () => {
    const { log, calls, origin, positions } = await counted(200);
    const read = createSharedReads(log);
    const starts = Array.from({ length: 20 }, (_, index) => (index === 0 ? origin : positions[index - 1]!.position));
    const all = await Promise.all(starts.map((start) => readAll(read, start)));
    for (const [index, texts] of all.entries()) expect(texts).toEqual(numbered(index, 200));
    const alone = 200 / 10 + 1;
    expect(calls.reads).toBeLessThan(3 * alone + starts.length);
  });

  it('show what was appended after an earlier read', async () => {
    const log = createMemoryLog({});
    const read = createSharedReads(log);
    await log.commit({ append: [{ event: eventOf('a') }] });
    const origin = originOf(log.head()!);
    expect(bodies(await read(origin, 10))).toEqual(['a']);
    const first = log.head()!;
    expect(await read(first, 10)).toEqual([]);
    await log.commit({ append: [{ event: eventOf('b') }] });
    expect(bodies(await read(first, 10))).toEqual(['b']);
    expect(await readAll(read, origin)).toEqual(['a', 'b']);
  });

  it('give no more than was asked for, though more is known', async () => {
    const { log, origin } = await counted(10);
    const read = createSharedReads(log);
    await read(origin, 10);
    expect(bodies(await read(origin, 3))).toEqual(['0', '1', '2']);
  });

  it('keep no more than their bound, and forget what was not used for longest', async () => {
    const { log, calls, origin, positions } = await counted(30);
    const read = createSharedReads(log, 20 * (OVERHEAD + 2));
    await readAll(read, origin);
    const before = calls.reads;
    await read(positions[20]!.position, 5);
    expect(calls.reads, 'the newest are known').toBe(before);
    await read(origin, 5);
    expect(calls.reads, 'the oldest are not').toBe(before + 1);
  });

  it('fail only for whoever asked: the others ask themselves', async () => {
    const { log, calls, origin } = await counted(5);
    calls.failing = 1;
    const read = createSharedReads(log);
    const [first, second] = await Promise.allSettled([read(origin, 10), read(origin, 10)]);
    expect(first).toMatchObject({ status: 'rejected' });
    expect(second).toMatchObject({ status: 'fulfilled' });
  });
});
