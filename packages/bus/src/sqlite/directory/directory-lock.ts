import { readFileSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { errorMessage } from '@magpie/contract';
import { LogLocked, LogRefused } from '../../contract/index.ts';
import { isBusy } from '../file/sqlite-errors.ts';
import type { DirectoryFiles } from './files.ts';
import { type FileIdentity, identityOf, verifyIdentities } from './identity.ts';
import { makePrivateDirectory, makePrivateFile, requireAccess } from './private-files.ts';

/** The hold on a data directory. */
export interface DirectoryLock {
  /** The directory and the lock file, as long as the hold is worth anything. */
  readonly identities: readonly FileIdentity[];
  release(): void;
}

/**
 * Takes the data directory for this process, creating it when needed: an exclusive transaction on `lock.db`, which the
 * operating system drops however the process ends.
 * @throws LogLocked when another process holds it.
 * @throws LogRefused when the directory cannot be written.
 */
export function lockDirectory(files: DirectoryFiles): DirectoryLock {
  const { dataDir } = files;
  let db: DatabaseSync | undefined;
  try {
    makePrivateDirectory(dataDir);
    makePrivateFile(files.lock);
    requireAccess(files);
    const identities = [identityOf(dataDir), identityOf(files.lock)];
    db = new DatabaseSync(files.lock, { timeout: 0 });
    // Nothing is ever written: a journal in a file would only keep the gateway from starting on a full disk.
    db.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
    verifyIdentities(identities);
    recordPid(files);
    return { identities, release: () => db?.close() };
  } catch (error) {
    db?.close();
    throw isBusy(error) ? new LogLocked(lockedMessage(files), { cause: error }) : unusable(dataDir, error);
  }
}

/** What keeps a data directory from being used, with what it must be. */
export const unusable = (dataDir: string, error: unknown): LogRefused =>
  new LogRefused(
    `the data directory ${dataDir} cannot be used: ${errorMessage(error)}. It must be a directory this user may write to`,
    { cause: error },
  );

function recordPid({ pid }: DirectoryFiles): void {
  try {
    makePrivateFile(pid);
    writeFileSync(pid, `${process.pid}\n`);
  } catch {
    // The file only makes the message of a second process better; a full disk must not keep the gateway from starting.
  }
}

function lockedMessage(files: DirectoryFiles): string {
  const pid = readPid(files);
  const holder = pid === undefined ? 'another process' : `process ${pid}`;
  return `the data directory ${files.dataDir} is in use by ${holder}: stop it first, or give this gateway another dataDir`;
}

function readPid({ pid }: DirectoryFiles): string | undefined {
  try {
    return /^\d+/.exec(readFileSync(pid, 'utf8'))?.[0];
  } catch {
    // Without the file the message names no process.
    return undefined;
  }
}
