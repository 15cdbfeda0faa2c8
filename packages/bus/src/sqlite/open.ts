import { errorMessage, nullLogger, systemClock } from '@magpie/contract';
import { type EventLog, LogFailed, type LogSpace } from '../contract.ts';
import { createDedupeClock } from '../shared/dedupe-clock.ts';
import { DEFAULT_DEDUPE, type DedupeWindow } from '../shared/dedupe-window.ts';
import { type SqliteLogOptions, steadyTimeOf } from '../shared/log-options.ts';
import { positionsOf } from '../shared/positions.ts';
import { lockDirectory } from './directory/directory-lock.ts';
import { createStoredLog } from './event-log.ts';
import { type CommitQueue, createCommitQueue } from './main/commit-queue.ts';
import { createDamage } from './main/damage.ts';
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
  const lock = lockDirectory(dataDir);
  const damage = createDamage(logger);
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
    const dedupeClock = createDedupeClock(steadyTimeOf(clock), dedupeOf(options).windowMs, saved);
    const positions = positionsOf(epoch);
    queue = createCommitQueue({
      positions,
      dedupeClock,
      next,
      lastReceived,
      send: writer.write,
      timeout: clock.timeout ?? systemClock.timeout,
    });
    return createStoredLog({
      queue,
      writer,
      reader,
      positions,
      decoder: createDecoder(positions, damage),
      clock,
      dedupeClock,
      lock,
      space: () => space,
      alarms: damage.alarms,
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
