import { closeSync, existsSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs';
import { type DirectoryFiles, syncDirectory } from './files.ts';
import { makePrivateFile } from './private-files.ts';

/**
 * What the data directory must hold at the next start. Without it, a log whose write-ahead log was removed would open as if
 * nothing were missing: SQLite itself cannot tell a removed write-ahead log from one that a clean end has merged.
 */
export interface Marker {
  /** Epoch of the log; empty when the marker cannot be read. */
  readonly epoch: string;
  /** Whether commits may be in the write-ahead log alone. */
  readonly needsWal: boolean;
}

/** Bytes of the file. Always the same, so that a full disk does not keep it from being written. */
const SIZE = 64;

/** Reads the marker; undefined when there is none. One that cannot be read still says that the directory was used. */
export function readMarker({ marker }: DirectoryFiles): Marker | undefined {
  if (!existsSync(marker)) return undefined;
  const match = /^magpie log (\w+) (wal|merged)\s/.exec(readFileSync(marker, 'latin1'));
  return { epoch: match?.[1] ?? '', needsWal: match?.[2] === 'wal' };
}

/** Writes the marker in place and makes it durable. Called when a log is opened and when it is closed. */
export function writeMarker({ marker, dataDir }: DirectoryFiles, { epoch, needsWal }: Marker): void {
  const isNew = !existsSync(marker);
  const text = `magpie log ${epoch} ${needsWal ? 'wal' : 'merged'}\n`.padEnd(SIZE - 1);
  makePrivateFile(marker);
  const file = openSync(marker, 'r+');
  try {
    writeSync(file, `${text}\n`, 0, 'latin1');
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  if (isNew) syncDirectory(dataDir);
}
