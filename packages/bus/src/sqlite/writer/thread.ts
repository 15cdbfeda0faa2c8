import type { DatabaseSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';
import type { SavedClock } from '../../shared/dedupe-clock.ts';
import type { DedupeWindow } from '../../shared/dedupe-window.ts';
import { openForWriting } from '../file/database.ts';
import { createEventSearch } from '../file/event-search.ts';
import { classify, describeError } from '../file/sqlite-errors.ts';
import type { RetainRequest, WireBatch, WriterReply, WriterRequest } from '../protocol/writer.ts';
import { createBatchWriter } from './batch-writer.ts';
import { createDedupeStore, saveClock, savedClock } from './dedupe/store.ts';
import { createDiskGuard, giveUpReserve } from './disk-guard.ts';
import { createEventAppender } from './event-appender.ts';
import { createRetention } from './retention.ts';
import { createWriterStore } from './writer-store.ts';

/** What the writer thread is started with. */
export interface WriterData {
  readonly dataDir: string;
  readonly now: number;
  readonly dedupe: DedupeWindow;
  readonly reserveBytes: number;
  readonly minFreeBytes: number | undefined;
}

/** Bytes written after which the reader is asked for a checkpoint. */
const CHECKPOINT_BYTES = 8 * 1024 * 1024;

function start(
  data: WriterData,
  reply: (message: WriterReply) => void,
  end: () => void,
): (request: WriterRequest) => void {
  const { db, meta } = openWithReserve(data);
  const search = createEventSearch(db);
  const clock = savedClock(db, data.now);
  const dedupe = createDedupeStore(db, meta.salt, data.dedupe, clock);
  const store = createWriterStore(db, dedupe, createEventAppender(db, search));
  const retention = createRetention(db, store, search);
  const guard = createDiskGuard(data, (space) => reply({ type: 'space', space }));
  const writeBatch = createBatchWriter(store, guard);
  let stopped = false;
  let uncheckpointed = 0;

  const stop = (message: WriterReply): void => {
    stopped = true;
    guard.stop();
    reply(message);
  };
  const fail = (error: unknown): void => stop({ type: 'failed', message: describeError(error) });
  const write = (batch: WireBatch): void => {
    const results = writeBatch(batch);
    uncheckpointed += batch.bytes;
    const checkpointDue = uncheckpointed > CHECKPOINT_BYTES;
    if (checkpointDue) uncheckpointed = 0;
    reply({ type: 'written', results, checkpointDue });
  };
  const retain = async (request: RetainRequest, before = 0): Promise<void> => {
    const run = await retention.run(
      request,
      () => stopped,
      () => guard.refusal() !== undefined,
    );
    if (run.error !== undefined && classify(run.error) === 'fatal') return fail(run.error);
    const removed = before + run.removed;
    // The reserve goes, and the rest of the work has the room that it lacked; without one the next run is a minute later.
    if (run.error !== undefined && guard.exhausted()) return retain(request, removed);
    reply({ type: 'retained', id: request.id, removed });
  };
  guard.start();
  const { next, lastReceived } = store.end();
  reply({ type: 'ready', epoch: meta.epoch, next, lastReceived, clock });
  return (request) => {
    if (request.type === 'close') {
      if (!stopped) saveClockAtEnd(db, request.clock);
      db.close();
      stop({ type: 'closed' });
      return end();
    }
    if (stopped) return;
    if (request.type === 'retain') return void retain(request);
    try {
      write(request);
    } catch (error) {
      fail(error);
    }
  };
}

/** When it cannot be saved the log is as good as after a crash: the clock goes on where it was saved last. */
function saveClockAtEnd(db: DatabaseSync, clock: SavedClock): void {
  try {
    saveClock(db, clock);
  } catch {
    // Everything that was acknowledged is durable; a disk that is full or broken must not keep the log from being closed.
  }
}

/** Opens the log; when the disk is too full even for that, with the room of the reserve. */
function openWithReserve({ dataDir, now }: WriterData): ReturnType<typeof openForWriting> {
  try {
    return openForWriting(dataDir, now);
  } catch (error) {
    if (classify(error) !== 'full' || !giveUpReserve(dataDir)) throw error;
    return openForWriting(dataDir, now);
  }
}

const port = parentPort;
if (port === null) throw new Error('the log writer is a worker thread, it cannot be started as a program');
const reply = (message: WriterReply): void => port.postMessage(message);
try {
  port.on(
    'message',
    start(workerData, reply, () => port.close()),
  );
} catch (error) {
  reply({ type: 'failed', message: describeError(error) });
}
