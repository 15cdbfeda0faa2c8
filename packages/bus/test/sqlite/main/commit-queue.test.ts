import { type Event, newRef, systemClock, Throttled } from '@magpie/contract';
import { expect, it } from 'vitest';
import { positionsOf } from '../../../src/shared/positions.ts';
import { createCommitQueue } from '../../../src/sqlite/main/commit-queue.ts';
import type { WireBatch, WireResult } from '../../../src/sqlite/protocol/writer.ts';

const append = () => {
  const event: Event = {
    ...{ ref: newRef(), source: 's', address: { scheme: 'topic', segments: ['a'] }, kind: 'message', key: 'a' },
    ...{ time: 1, receivedAt: 1, body: new Uint8Array(1), headers: [], via: [], origin: {} },
  };
  return { append: [{ event }] };
};

const throttled: WireResult = { type: 'throttled', message: 'the disk is full' };
const done: WireResult = { type: 'done', first: 1, specials: [] };

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A queue whose writer is answered by hand. `endings` says in order how the commits have ended. */
function scripted() {
  const batches: WireBatch[] = [];
  const endings: string[] = [];
  const queue = createCommitQueue({
    positions: positionsOf('e'),
    dedupeClock: { now: () => 1, lowest: () => 0, horizon: () => 0 },
    ...{ next: 1, lastReceived: 0, send: (batch) => batches.push(batch), timeout: systemClock.timeout },
  });
  const commit = (name: string, change: object): void => {
    queue.commit(change).then(
      () => endings.push(`${name} done`),
      (error: unknown) => endings.push(`${name} ${error instanceof Throttled ? 'throttled' : String(error)}`),
    );
  };
  const sent = (): number => batches.at(-1)!.commits.reduce((sum, { appends }) => sum + appends, 0);
  return { queue, commit, batches, endings, sent };
}

it('sends no append that was called before its caller could know that an earlier one was throttled', async () => {
  const { queue, commit, batches, endings, sent } = scripted();
  commit('first', append());
  await turn();
  commit('second', append());
  queue.written([throttled]);
  commit('third', append());
  // The writer has found room before anything more has been sent to it.
  queue.hasRoom();
  await turn();
  expect(batches).toHaveLength(2);
  expect(sent()).toBe(0);
  queue.written([]);
  await turn();
  expect(endings).toEqual(['first throttled', 'second throttled', 'third throttled']);
  commit('again', append());
  await turn();
  expect(sent()).toBe(1);
  queue.written([done]);
  await turn();
  expect(endings.at(-1)).toBe('again done');
  expect(queue.head()).toBe(1);
});

it('goes on throttling appends until the writer has room, and writes everything else meanwhile', async () => {
  const { queue, commit, endings, sent } = scripted();
  commit('first', append());
  await turn();
  queue.written([throttled]);
  await turn();
  for (const round of [1, 2]) {
    commit(`append ${round}`, append());
    commit(`floor ${round}`, { floors: [{ consumer: 'c', floor: null }] });
    await turn();
    expect(sent()).toBe(0);
    queue.written([done]);
    await turn();
  }
  expect(endings).toEqual([
    'first throttled',
    'append 1 throttled',
    'floor 1 done',
    'append 2 throttled',
    'floor 2 done',
  ]);
});
