import assert from 'node:assert/strict';
import type { Appended, EventLog } from '@magpie/bus';
import type { Case, Group, Subject } from '../case.ts';
import { jsonBody, SIZES, sizeText, storedEvent } from '../samples.ts';
import { scratchLog } from '../scratch-log.ts';

type Write = (log: EventLog) => Promise<readonly Appended[]>;

async function appending(count: number, write: Write): Promise<Subject<readonly Appended[]>> {
  const { log, remove } = await scratchLog();
  return {
    run: () => write(log),
    check: (verdicts) => {
      assert.deepEqual(
        verdicts.map(({ type }) => type),
        Array.from({ length: count }, () => 'stored'),
      );
    },
    close: async (calls) => {
      const { events } = await log.stats();
      await remove();
      assert.equal(events, calls * count, 'another number of events is in the log than was written');
    },
  };
}

/** All events in one commit. */
function inOneCommit(count: number, size: number): Case {
  const append = Array.from({ length: count }, () => ({ event: storedEvent(jsonBody(size)) }));
  const name = `${count.toLocaleString('en-US')} of ${sizeText(size)} in a commit`;
  return { name, operations: count, prepare: () => appending(count, (log) => log.commit({ append })) };
}

/** Each event a commit of its own, all at once: the log writes them together. */
function atOnce(count: number, size: number): Case {
  const changes = Array.from({ length: count }, () => ({ append: [{ event: storedEvent(jsonBody(size)) }] }));
  const write: Write = async (log) => (await Promise.all(changes.map((change) => log.commit(change)))).flat();
  const name = `${count} commits of one of ${sizeText(size)} at once`;
  return { name, operations: count, prepare: () => appending(count, write) };
}

const [small, large] = SIZES;

/** Into the log. */
export const append: Group = {
  name: 'append',
  title: 'Append to the log, fsynced',
  note:
    'SQLite in its own thread, one writer that waits for each commit to be on disk. p50 and p99 depend on the disk before ' +
    'anything else.',
  operation: 'event',
  call: 'commit',
  waits: true,
  cases: [...[1, 16, 128, 1024].map((count) => inOneCommit(count, small)), atOnce(128, small), inOneCommit(128, large)],
};
