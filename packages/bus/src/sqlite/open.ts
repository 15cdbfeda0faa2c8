import { errorMessage, nullLogger, steadyTime, systemClock } from '@magpie/contract';
import { type EventLog, LogFailed, type LogSpace } from '../contract.ts';
import { createDedupeClock } from '../shared/dedupe-clock.ts';
import { DEFAULT_DEDUPE, type DedupeWindow, type SqliteLogOptions } from '../shared/options.ts';
import { positionsOf } from '../shared/positions.ts';
import { createStoredLog } from './event-log.ts';
import { lockDirectory } from './lock.ts';
import { type CommitQueue, createCommitQueue } from './main/commit-queue.ts';
import { createDecoder } from './main/decoder.ts';
import { startReader } from './main/reader-client.ts';
import { startWriter } from './main/writer-client.ts';
import type { WriterData } from './writer/thread.ts';

/** Default size of the reserve in bytes. */
const RESERVE_BYTES = 64 * 1024 * 1024;

/**
 * Opens the durable event log of a data directory: SQLite in a writer and a reader thread, every commit fsynced.
 * Rejects with `LogLocked` when another process has the directory, with `LogFailed` when its files are damaged, are
 * not an event log or were written by a newer version.
 */
export async function openSqliteLog(options: SqliteLogOptions): Promise<EventLog> {
  const { dataDir, clock = systemClock, logger = nullLogger } = options;
  // The dedupe window must not end because the wall clock is set.
  const steady = options.clock?.now ?? steadyTime(systemClock);
  const lock = lockDirectory(dataDir);
  let queue: CommitQueue | undefined;
  let failure: LogFailed | undefined;
  let space: LogSpace = { intake: true, free: undefined, needed: 0 };
  const fail = (cause: Error): void => {
    failure ??= new LogFailed(`the event log in ${dataDir} has failed: ${cause.message}`, { cause });
    queue?.fail(failure);
  };
  const reader = startReader({ dataDir }, fail);
  const checkpoint = (): void => {
    reader.ask('checkpoint', undefined).catch((error: unknown) => {
      logger.warn({ error: errorMessage(error) }, 'the checkpoint of the event log is put off');
    });
  };
  const written: CommitQueue['written'] = (results) => queue?.written(results);
  try {
    const writer = await startWriter(writerData(options, clock.now()), {
      written,
      checkpointDue: checkpoint,
      space: (latest) => {
        space = latest;
        if (latest.intake) queue?.hasRoom();
      },
      failed: fail,
    });
    const { epoch, next, lastReceived, clock: saved } = writer.ready;
    const dedupeClock = createDedupeClock(steady, dedupeOf(options).windowMs, saved);
    const positions = positionsOf(epoch);
    queue = createCommitQueue({
      positions,
      clock: dedupeClock,
      next,
      lastReceived,
      send: writer.write,
    });
    return createStoredLog({
      queue,
      writer,
      reader,
      positions,
      decoder: createDecoder(positions, logger),
      clock,
      dedupeClock,
      lock,
      space: () => space,
    });
  } catch (error) {
    await reader.terminate();
    lock.release();
    throw failure ?? error;
  }
}

const dedupeOf = ({ dedupe }: SqliteLogOptions): DedupeWindow => ({ ...DEFAULT_DEDUPE, ...dedupe });

const writerData = (options: SqliteLogOptions, now: number): WriterData => ({
  dataDir: options.dataDir,
  now,
  dedupe: dedupeOf(options),
  reserveBytes: options.reserveBytes ?? RESERVE_BYTES,
  minFreeBytes: options.minFreeBytes,
});
