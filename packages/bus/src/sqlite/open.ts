import { errorMessage, nullLogger, systemClock } from '@magpie/contract';
import { type EventLog, LogFailed, LogLocked, LogRefused, type LogSpace } from '../contract/index.ts';
import { createDedupeClock } from '../shared/dedupe-clock.ts';
import { DEFAULT_DEDUPE, type DedupeWindow } from '../shared/dedupe-window.ts';
import { eventAgesOf, momentOf, type SqliteLogOptions, steadyTimeOf } from '../shared/log-options.ts';
import { positionsOf } from '../shared/positions.ts';
import { type DirectoryLock, lockDirectory, unusable } from './directory/directory-lock.ts';
import { type DirectoryFiles, filesIn } from './directory/files.ts';
import { type AcceptedLoss, inspectDirectory } from './directory/inspection.ts';
import { makePrivateFile, tightenModes } from './directory/private-files.ts';
import { createStoredLog } from './event-log.ts';
import { openLastConnection } from './file/database.ts';
import { type CommitQueue, createCommitQueue } from './main/commit-queue.ts';
import { createDamage } from './main/damage.ts';
import { createDecoder } from './main/decoder.ts';
import { startReader } from './main/reader-client.ts';
import { startWriter, type WriterClient, type WriterEvents } from './main/writer-client.ts';
import type { WriterData } from './writer/thread.ts';

/** Default size of the reserve in bytes. */
const RESERVE_BYTES = 64 * 1024 * 1024;

/**
 * Opens the durable event log of a data directory: SQLite in a writer and a reader thread, every commit fsynced.
 * @throws LogLocked when another process has the directory.
 * @throws LogRefused when the directory cannot be written, lacks files that it had, or holds something else or newer.
 * @throws LogFailed when the files are damaged.
 */
export async function openSqliteLog(options: SqliteLogOptions): Promise<EventLog> {
  const files = filesIn(options.dataDir);
  const lock = lockDirectory(files);
  try {
    return await openLocked(options, files, lock);
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** Looks whether everything is there, and makes it readable for the owner alone. */
function prepare(files: DirectoryFiles, { acceptLoss = false, logger = nullLogger }: SqliteLogOptions): AcceptedLoss {
  const accepted = inspectDirectory(files, acceptLoss, logger);
  try {
    makePrivateFile(files.log);
    tightenModes(files, logger);
    return accepted;
  } catch (error) {
    throw unusable(files.dataDir, error);
  }
}

async function openLocked(options: SqliteLogOptions, files: DirectoryFiles, lock: DirectoryLock): Promise<EventLog> {
  const { clock = systemClock, logger = nullLogger } = options;
  const accepted = prepare(files, options);
  const state = createState(options);
  const reader = startReader({ dataDir: files.dataDir }, state.fail);
  const checkpointDue = (): void => {
    reader.ask('checkpoint', undefined).catch((error: unknown) => {
      logger.warn({ error: errorMessage(error) }, 'the checkpoint of the event log is put off');
    });
  };
  let writer: WriterClient | undefined;
  try {
    writer = await startWriter(writerData(options, lock, accepted), { ...state.events, checkpointDue });
    const { epoch, next, lastReceived, clock: saved } = writer.ready;
    const lastConnection = openLastConnection(files, epoch);
    await reader.open();
    const dedupeClock = createDedupeClock(steadyTimeOf(clock), dedupeOf(options).windowMs, saved);
    const ages = eventAgesOf(options, saved.ages);
    const positions = positionsOf(epoch);
    const damage = createDamage(logger);
    const queue = createCommitQueue({
      ...{ positions, dedupeClock, next, lastReceived, send: writer.write },
      timeout: clock.timeout ?? systemClock.timeout,
    });
    state.opened(queue);
    return createStoredLog({
      ...{ queue, writer, reader, positions, clock, dedupeClock, ages, lock, files, epoch, lastConnection },
      decoder: createDecoder(positions, damage),
      space: state.space,
      alarms: () => [...damage.alarms(), ...[ages.alarm()].filter((each) => each !== undefined)],
      hasFailed: state.hasFailed,
    });
  } catch (error) {
    await reader.terminate();
    await writer?.close(writer.ready.clock);
    throw state.hasFailed() ?? error;
  }
}

/** What the threads report of an open log: its room, and that it has failed. */
function createState({ dataDir, onFailed }: SqliteLogOptions) {
  let queue: CommitQueue | undefined;
  let failure: LogFailed | LogRefused | LogLocked | undefined;
  let space: LogSpace = { intake: true, free: undefined, needed: 0 };
  const fail = (cause: Error): void => {
    if (failure !== undefined) return;
    if (cause instanceof LogRefused || cause instanceof LogLocked) {
      failure = cause;
      return;
    }
    const failed = new LogFailed(`the event log in ${dataDir} has failed: ${cause.message}`, { cause });
    failure = failed;
    queue?.fail(failed);
    if (queue) onFailed?.(failed);
  };
  const events: Omit<WriterEvents, 'checkpointDue'> = {
    written: (results) => queue?.written(results),
    space: (latest) => {
      space = latest;
      if (latest.intake) queue?.hasRoom();
    },
    failed: fail,
  };
  return {
    events,
    fail,
    /** From now on commits are taken and failures are reported. */
    opened: (commits: CommitQueue): void => {
      queue = commits;
    },
    hasFailed: () => failure,
    space: () => space,
  };
}

const dedupeOf = ({ dedupe }: SqliteLogOptions): DedupeWindow => ({ ...DEFAULT_DEDUPE, ...dedupe });

const writerData = (options: SqliteLogOptions, { identities }: DirectoryLock, accepted: AcceptedLoss): WriterData => ({
  dataDir: options.dataDir,
  held: identities,
  accepted,
  now: (options.clock ?? systemClock).now(),
  moment: momentOf(options),
  dedupe: dedupeOf(options),
  reserveBytes: options.reserveBytes ?? RESERVE_BYTES,
  minFreeBytes: options.minFreeBytes,
});
