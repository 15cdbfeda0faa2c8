import { closeSync, fsyncSync, openSync } from 'node:fs';
import { join } from 'node:path';

/** Every file of a data directory, as a path. */
export interface DirectoryFiles {
  readonly dataDir: string;
  /** The events and the state of their consumers. */
  readonly log: string;
  /** The write-ahead log: commits that are not in `log` yet. */
  readonly wal: string;
  /** Index of the write-ahead log, of no value once the process has ended. */
  readonly shm: string;
  /** Held by the process that uses the directory. */
  readonly lock: string;
  /** Process id of the holder, for messages. */
  readonly pid: string;
  /** Room that is released when the disk is full. */
  readonly reserve: string;
  /** What must be there at the next start. */
  readonly marker: string;
}

/** The files of a data directory. */
export function filesIn(dataDir: string): DirectoryFiles {
  const log = join(dataDir, 'log.db');
  return {
    ...{ dataDir, log, wal: `${log}-wal`, shm: `${log}-shm` },
    lock: join(dataDir, 'lock.db'),
    pid: join(dataDir, 'lock.pid'),
    reserve: join(dataDir, 'reserve'),
    marker: join(dataDir, 'marker'),
  };
}

/** Makes the creation of files in a directory durable. */
export function syncDirectory(path: string): void {
  const handle = openSync(path, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
