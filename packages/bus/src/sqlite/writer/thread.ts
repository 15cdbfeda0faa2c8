import type { DatabaseSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';
import { errorMessage, systemClock } from '@magpie/contract';
import type { SavedClock } from '../../shared/dedupe-clock.ts';
import type { DedupeWindow } from '../../shared/dedupe-window.ts';
import type { SavedAges } from '../../shared/event-ages.ts';
import { unusable } from '../directory/directory-lock.ts';
import { filesIn } from '../directory/files.ts';
import { type FileIdentity, identityOf } from '../directory/identity.ts';
import type { AcceptedLoss } from '../directory/inspection.ts';
import { closeMerged, type OpenLog, openForWriting } from '../file/database.ts';
import { createEventSearch } from '../file/event-search.ts';
import { classify, describeError, isUnwritable } from '../file/sqlite-errors.ts';
import type { FailureKind, RetainRequest, WireBatch, WriterReply, WriterRequest } from '../protocol/writer.ts';
import { createBatchWriter } from './batch-writer.ts';
import { createDedupeStore, saveClock, savedClock } from './dedupe/store.ts';
import { createDiskGuard } from './disk-guard.ts';
import { createEventAppender } from './event-appender.ts';
import { giveUpReserve } from './reserve.ts';
import { createRetention } from './retention.ts';
import { createWriterStore } from './writer-store.ts';

/** What the writer thread is started with. */
export interface WriterData {
  readonly dataDir: string;
  /** The directory and its lock, as the main thread holds them. */
  readonly held: readonly FileIdentity[];
  readonly accepted: AcceptedLoss;
  /** Wall time, ms since the epoch. */
  readonly now: number;
  /** The moment by all clocks: saved at once in a log without one, so that it is there after a crash. */
  readonly moment: SavedAges;
  readonly dedupe: DedupeWindow;
  readonly reserveBytes: number;
  readonly minFreeBytes: number | undefined;
}

/** Bytes written after which the reader is asked for a checkpoint. */
const CHECKPOINT_BYTES = 8 * 1024 * 1024;

type Reply = (message: WriterReply) => void;

function start(data: WriterData, reply: Reply, end: () => void): (request: WriterRequest) => void {
  const files = filesIn(data.dataDir);
  const open = openWithReserve(data);
  const { db, meta } = open;
  const { store, retention, clock } = createParts(data, open);
  if (clock.ages === undefined) saveClockIfPossible(db, { ...clock, ages: data.moment });
  let stopped = false;
  let uncheckpointed = 0;

  const own = [files.log, files.wal].map(identityOf);
  const guard = createDiskGuard({
    dataDir: data.dataDir,
    identities: [...data.held, ...own, identityOf(files.shm)],
    holding: [...own, ...data.held.filter(({ path }) => path === files.lock)],
    reserve: { path: files.reserve, bytes: data.reserveBytes },
    minFreeBytes: data.minFreeBytes,
    clock: systemClock,
    report: (space) => reply({ type: 'space', space }),
    failed: (error) => fail(error),
  });
  const writeBatch = createBatchWriter(store, guard);
  const fail = (error: unknown): void => {
    if (stopped) return;
    stopped = true;
    guard.stop();
    reply({ type: 'failed', message: describeError(error), why: 'failed' });
  };
  const write = (batch: WireBatch): void => {
    const results = writeBatch(batch);
    guard.verify();
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
    // Releasing the reserve makes room for the rest of the run; without a reserve the next run is a minute later.
    if (run.error !== undefined && guard.exhausted()) return retain(request, removed);
    reply({ type: 'retained', id: request.id, removed });
  };
  /** After a failure nothing more is written: what is in the write-ahead log stays there. */
  const close = (saved: SavedClock): boolean => {
    const hasFailed = stopped;
    stopped = true;
    guard.stop();
    if (hasFailed) return false;
    saveClockIfPossible(db, saved);
    return closeMerged(open, files);
  };
  guard.start();
  const { next, lastReceived } = store.end();
  reply({ type: 'ready', epoch: meta.epoch, next, lastReceived, clock });
  return (request) => {
    if (request.type === 'close') {
      reply({ type: 'closed', isMerged: close(request.clock) });
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

/** What reads and writes the open log. */
function createParts(data: WriterData, { db, meta }: OpenLog) {
  const search = createEventSearch(db);
  const clock = savedClock(db, data.now);
  const dedupe = createDedupeStore(db, meta.salt, data.dedupe, clock);
  const store = createWriterStore(db, dedupe, createEventAppender(db, search));
  return { clock, store, retention: createRetention(db, store, search) };
}

/** A clock that cannot be saved continues from its last saved state, as after a crash. */
function saveClockIfPossible(db: DatabaseSync, clock: SavedClock): void {
  try {
    saveClock(db, clock);
  } catch {
    // Everything that was acknowledged is durable; a disk that is full or broken must not keep the log from being opened or closed.
  }
}

/** Opens the log; when the disk is too full even for that, with the room of the reserve. */
function openWithReserve({ dataDir, now, accepted }: WriterData): OpenLog {
  const options = { files: filesIn(dataDir), now, accepted };
  try {
    return openForWriting(options);
  } catch (error) {
    if (classify(error) !== 'full' || !giveUpReserve(options.files.reserve)) throw error;
    return openForWriting(options);
  }
}

/** Why the log could not be opened. */
function openingFailure(error: unknown, { dataDir }: WriterData): Extract<WriterReply, { type: 'failed' }> {
  const kinds: Readonly<Record<string, FailureKind>> = { LogRefused: 'refused', LogLocked: 'locked' };
  const known = error instanceof Error ? kinds[error.name] : undefined;
  if (known) return { type: 'failed', message: errorMessage(error), why: known };
  if (isUnwritable(error)) return { type: 'failed', message: unusable(dataDir, error).message, why: 'refused' };
  return { type: 'failed', message: describeError(error), why: 'failed' };
}

const port = parentPort;
if (port === null) throw new Error('the log writer is a worker thread, it cannot be started as a program');
const reply: Reply = (message) => port.postMessage(message);
const data: WriterData = workerData;
try {
  port.on(
    'message',
    start(data, reply, () => port.close()),
  );
} catch (error) {
  reply(openingFailure(error, data));
}
