import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createMemoryLog, type Position, type StoredEvent } from '@magpie/bus';
import { type Event, newRef } from '@magpie/contract';
import { describe, expect, it } from 'vitest';
import { createTail } from '../../src/log-access/tail.ts';

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

async function filled(count: number, maxBytes: number) {
  const log = createMemoryLog({});
  const tail = createTail(log, maxBytes);
  const stored: StoredEvent[] = [];
  for (let index = 0; index < count; index++) {
    const event = eventOf(`${index}`);
    const [result] = await log.commit({ append: [{ event }] });
    stored.push({ position: result!.position, event });
    tail.push(stored.slice(-1));
  }
  return { log, tail, stored };
}

const bodies = (events: readonly StoredEvent[]): string[] =>
  events.map(({ event }) => Buffer.from(event.body).toString());

describe('the tail', () => {
  it('gives recent events from memory and older ones from the log, without a seam', async () => {
    const { tail, stored } = await filled(50, 10 * 513);
    const all: string[] = [];
    for (let after = stored[0]!.position; ; ) {
      const batch = await tail.read(after, 7);
      if (batch.length === 0) break;
      all.push(...bodies(batch));
      after = batch.at(-1)!.position;
    }
    expect(all).toEqual(Array.from({ length: 49 }, (_, index) => `${index + 1}`));
    expect(Array.isArray(tail.read(stored[45]!.position, 10)), 'the newest are in memory').toBe(true);
    expect(tail.read(stored[1]!.position, 10), 'the oldest are not').toBeInstanceOf(Promise);
  });

  it('starts at the oldest event without a position', async () => {
    const { tail } = await filled(3, 1e6);
    expect(bodies(await tail.read(undefined, 10))).toEqual(['0', '1', '2']);
  });

  it('wakes those that wait for the next event', async () => {
    const { log, tail } = await filled(1, 1e6);
    const changed = tail.changed();
    const event = eventOf('next');
    const [result] = await log.commit({ append: [{ event }] });
    tail.push([{ position: result!.position, event }]);
    await expect(changed).resolves.toBeUndefined();
  });

  it('keeps no more than its bound in memory, however large the bodies', async () => {
    const log = createMemoryLog({});
    const tail = createTail(log, 1000);
    const kept: WeakRef<StoredEvent>[] = [];
    for (let index = 0; index < 50; index++) {
      const stored = { position: `e:0:${index + 1}` as Position, event: eventOf('x'.repeat(100)) };
      kept.push(new WeakRef(stored));
      tail.push([stored]);
    }
    setFlagsFromString('--expose-gc');
    await new Promise((resolve) => setTimeout(resolve, 10));
    runInNewContext('gc')();
    expect(kept.filter((ref) => ref.deref() !== undefined).length).toBeLessThan(5);
  });
});
