import { createMemoryLog, type EventLog, type Position } from '@magpie/bus';
import { systemClock, Throttled } from '@magpie/contract';
import { describe, expect, it } from 'vitest';
import { createStateWriter } from '../../src/log-access/state-writer.ts';

const fatal = (error: Error): never => {
  throw error;
};

const floorAt = (consumer: string, floor: Position | null) => ({ consumer, floor: () => floor, waiting: () => 0 });

async function positions(count: number) {
  const log = createMemoryLog({});
  const found: Position[] = [];
  for (let index = 0; index < count; index++) {
    const event = {
      ref: `019aa000-0000-7000-8000-00000000000${index}`,
      source: 's',
      address: { scheme: 'channel', segments: ['a'] },
      kind: 'message' as const,
      key: 'k',
      time: 0,
      receivedAt: Date.now(),
      body: new Uint8Array(),
      headers: [],
      via: [],
      origin: {},
    };
    const [result] = await log.commit({ append: [{ event }] });
    found.push(result!.position);
  }
  return { log, found };
}

describe('the writer', () => {
  it('writes what has gathered along with the next commit', async () => {
    const { log, found } = await positions(2);
    const writer = createStateWriter(log, systemClock, fatal, 1000);
    writer.matched(found[1]!);
    writer.touch(floorAt('a/b', found[0]!));
    await writer.commit({});
    const state = await log.state();
    expect(state.matched).toBe(found[1]);
    expect(state.floors.get('a/b')).toBe(found[0]);
    writer.close();
  });

  it('has flushed only when what was being written is durable too', async () => {
    const { log, found } = await positions(1);
    let release = (): void => undefined;
    const slow = new Promise<void>((resolve) => {
      release = resolve;
    });
    const commit: EventLog['commit'] = async (change) => slow.then(() => log.commit(change));
    const writer = createStateWriter({ ...log, commit }, systemClock, fatal, 1000);
    writer.matched(found[0]!);
    void writer.flush();
    const second = writer.flush().then(async () => (await log.state()).matched);
    setImmediate(release);
    expect(await second).toBe(found[0]);
    writer.close();
  });

  it('removes the row of a consumer that has become idle', async () => {
    const { log, found } = await positions(1);
    const writer = createStateWriter(log, systemClock, fatal, 1000);
    writer.touch(floorAt('a/b', found[0]!));
    await writer.flush();
    writer.touch(floorAt('a/b', null));
    await writer.flush();
    expect((await log.state()).floors.size).toBe(0);
    writer.close();
  });

  it('writes by itself when nobody commits', async () => {
    const { log, found } = await positions(1);
    const writer = createStateWriter(log, systemClock, fatal, 5);
    writer.matched(found[0]!);
    await expect.poll(async () => (await log.state()).matched).toBe(found[0]);
    writer.close();
  });

  it('writes what has gathered although the append that comes with it is refused', async () => {
    const { log, found } = await positions(1);
    const full: EventLog = {
      ...log,
      commit: async (change) => (change.append ? Promise.reject(new Throttled('full', 1)) : log.commit(change)),
    };
    const writer = createStateWriter(full, systemClock, fatal, 1000);
    writer.matched(found[0]!);
    await expect(writer.commit({ append: [] })).rejects.toThrow('full');
    await expect.poll(async () => (await log.state()).matched).toBe(found[0]);
    writer.close();
  });

  it('resolves changes in the order of the calls, whatever has gathered in between', async () => {
    const { log, found } = await positions(1);
    const writer = createStateWriter(log, systemClock, fatal, 1000);
    const order: number[] = [];
    const note = (number: number) => () => order.push(number);
    writer.matched(found[0]!);
    const first = writer.commit({}).then(note(1));
    const second = writer.commit({}).then(note(2));
    writer.matched(found[0]!);
    const third = writer.commit({}).then(note(3));
    await Promise.all([first, second, third]);
    expect(order).toEqual([1, 2, 3]);
    writer.close();
  });
});
