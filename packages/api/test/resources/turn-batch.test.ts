import { setImmediate as turn } from 'node:timers/promises';
import type { EventLog } from '@magpie/bus';
import type { ReceivedEvent } from '@magpie/contract';
import type { PublishResult } from '@magpie/core';
import { expect, test } from 'vitest';
import { createTurnBatch } from '../../src/resources/messages/turn-batch.ts';
import { get, post, startWorld } from '../support/fixtures.ts';

const event = (name: string, bytes = 1): ReceivedEvent => ({
  address: { scheme: 'topic', segments: [name] },
  kind: 'message',
  headers: [],
  via: [],
  time: 0,
  origin: {},
  body: new Uint8Array(bytes),
});

/** A gateway that stores everything, and the names in each of its batches. */
function gatewayOf(result: (name: string) => PublishResult = (name) => ({ type: 'refused', reason: name })): {
  batches: string[][];
  publish: (source: string, events: readonly ReceivedEvent[]) => Promise<PublishResult[]>;
} {
  const batches: string[][] = [];
  return {
    batches,
    publish: async (_, events) => {
      const names = events.map(({ address }) => address.segments.join('/'));
      batches.push(names);
      return names.map(result);
    },
  };
}

test('what comes in one turn goes in at once and in order, each with its own result', async () => {
  const gateway = gatewayOf();
  const batch = createTurnBatch(gateway, () => undefined);
  const results = await Promise.all(['a', 'b', 'c'].map((name) => batch.publish(event(name))));
  expect(results).toEqual(['a', 'b', 'c'].map((reason) => ({ type: 'refused', reason })));
  await batch.publish(event('d'));
  expect(gateway.batches).toEqual([['a', 'b', 'c'], ['d']]);
});

test('a batch is bounded by count and by bytes, and a large event goes alone', async () => {
  const gateway = gatewayOf();
  const batch = createTurnBatch(gateway, () => undefined);
  await Promise.all(Array.from({ length: 80 }, () => batch.publish(event('x'))));
  expect(gateway.batches.map(({ length }) => length)).toEqual([32, 32, 16]);
  gateway.batches.length = 0;
  const half = 600 * 1024;
  await Promise.all([half, half, 5 * 1024 * 1024, 1].map((bytes, index) => batch.publish(event(`${index}`, bytes))));
  expect(gateway.batches).toEqual([['0'], ['1'], ['2'], ['3']]);
});

test('nothing goes in once the gateway has stopped taking messages', async () => {
  const gateway = gatewayOf();
  let stopped = false;
  const batch = createTurnBatch(gateway, () => {
    if (stopped) throw new Error('it stops');
  });
  const result = batch.publish(event('a'));
  stopped = true;
  await expect(result).rejects.toThrow('it stops');
  await turn();
  expect(gateway.batches).toEqual([]);
});

test('one bad message of a turn does not touch the others', async () => {
  const world = await startWorld({ maxBodyBytes: 1000 });
  const statuses = await Promise.all(
    [
      { topic: 'a', text: '1' },
      { topic: 'a', text: 'x'.repeat(2000) },
      { topic: 'a/#', text: '2' },
      { topic: 'a', text: '3' },
    ].map(async (message) => (await post(world, message)).statusCode),
  );
  expect(statuses).toEqual([202, 413, 400, 202]);
});

test('requests of one turn share a commit; a direct send between them keeps its place', async () => {
  const commits: number[] = [];
  const counted = (log: EventLog): EventLog => ({
    ...log,
    commit: (change) => {
      if (change.append?.length) commits.push(change.append.length);
      return log.commit(change);
    },
  });
  const world = await startWorld({ wrapLog: counted });
  const response = await post(world, [
    { topic: 'a', text: '1' },
    { topic: 'a', text: '2' },
    { to: { connection: 'floor', channel: 'x' }, text: '3' },
    { topic: 'a', text: '4' },
  ]);
  expect(response.json().results).toHaveLength(4);
  expect(commits).toEqual([2, 1, 1]);
  const { events } = (await get(world, '/v1/events')).json(); // Newest first.
  expect(events.map(({ event: { text } }: { event: { text: string } }) => text)).toEqual(['4', '3', '2', '1']);
});
