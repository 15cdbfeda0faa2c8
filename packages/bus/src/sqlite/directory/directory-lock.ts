import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { errorMessage } from '@magpie/contract';
import { LogFailed, LogLocked } from '../../contract.ts';

/** The hold on a data directory. */
export interface Lock {
  release(): void;
}

/**
 * Takes the data directory for this process, creating it when needed: an exclusive transaction on `lock.db`, which the
 * operating system drops however the process ends. Throws `LogLocked` when another holds it, `LogFailed` when the
 * directory cannot be written.
 */
export function lockDirectory(dataDir: string): Lock {
  const db = openLockFile(dataDir);
  try {
    // Nothing is ever written: a journal in a file would only keep the gateway from starting on a full disk.
    db.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
  } catch (error) {
    db.close();
    throw isBusy(error) ? new LogLocked(lockedMessage(dataDir), { cause: error }) : error;
  }
  recordPid(dataDir);
  return { release: () => db.close() };
}

function openLockFile(dataDir: string): DatabaseSync {
  try {
    makeDirectory(resolve(dataDir));
    return new DatabaseSync(join(dataDir, 'lock.db'), { timeout: 0 });
  } catch (error) {
    throw new LogFailed(
      `the data directory ${dataDir} cannot be used: ${errorMessage(error)}. It must be a directory this user may write to`,
      { cause: error },
    );
  }
}

/** Makes a directory and those above it. `recursive` of `mkdirSync` never ends where none can be made, as below /proc. */
function makeDirectory(path: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return;
  if (dirname(path) !== path) makeDirectory(dirname(path));
  try {
    mkdirSync(path);
  } catch (error) {
    // Another process was quicker, or it is a file, which shows as soon as something is opened below it.
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
}

const SQLITE_BUSY = 5;

const isBusy = (error: unknown): boolean =>
  error instanceof Error &&
  'errcode' in error &&
  typeof error.errcode === 'number' &&
  (error.errcode & 0xff) === SQLITE_BUSY;

const pidFile = (dataDir: string): string => join(dataDir, 'lock.pid');

function recordPid(dataDir: string): void {
  try {
    writeFileSync(pidFile(dataDir), `${process.pid}\n`);
  } catch {
    // The file only makes the message of a second process better; a full disk must not keep the gateway from starting.
  }
}

function lockedMessage(dataDir: string): string {
  const pid = readPid(dataDir);
  const holder = pid === undefined ? 'another process' : `process ${pid}`;
  return `the data directory ${dataDir} is in use by ${holder}: stop it first, or give this gateway another dataDir`;
}

function readPid(dataDir: string): string | undefined {
  try {
    return /^\d+/.exec(readFileSync(pidFile(dataDir), 'utf8'))?.[0];
  } catch {
    // Without the file the message names no process.
    return undefined;
  }
}
