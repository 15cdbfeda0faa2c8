import { accessSync, chmodSync, closeSync, constants, fchmodSync, mkdirSync, openSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { errorMessage, type Logger } from '@magpie/contract';
import type { DirectoryFiles } from './files.ts';

/** Mode of the files: they hold every message, and the secret of the dedupe hashes. */
const OWNER_ONLY = 0o600;
const OWNER_ONLY_DIRECTORY = 0o700;
const OTHERS = 0o077;

/** Makes a directory that only its owner may enter, and those above it as usual. */
export function makePrivateDirectory(path: string): void {
  const absolute = resolve(path);
  if (statSync(absolute, { throwIfNoEntry: false })?.isDirectory()) return;
  makeDirectory(dirname(absolute));
  // The umask can only take bits away, so the mode is set again.
  if (makeOne(absolute)) chmodSync(absolute, OWNER_ONLY_DIRECTORY);
}

/** Makes a directory and those above it. `recursive` of `mkdirSync` never ends where none can be made, as below /proc. */
function makeDirectory(path: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return;
  if (dirname(path) !== path) makeDirectory(dirname(path));
  makeOne(path);
}

/** Makes a directory; false when something of that name exists by now. If that is a file, opening anything in it says so. */
function makeOne(path: string): boolean {
  try {
    mkdirSync(path);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

/**
 * Makes an empty file that only its owner may read, where there is none. An existing one is not even opened: to close it
 * would release the locks that SQLite holds on it in this process.
 */
export function makePrivateFile(path: string): void {
  if (statSync(path, { throwIfNoEntry: false })) return;
  const file = openSync(path, 'wx', OWNER_ONLY);
  try {
    fchmodSync(file, OWNER_ONLY);
  } finally {
    closeSync(file);
  }
}

/**
 * Throws what the system says when this user may not read and write the directory and every file in it. SQLite would open
 * such a file without a word, and find only later that it cannot even lock it.
 */
export function requireAccess(files: DirectoryFiles): void {
  for (const path of Object.values(files)) {
    if (statSync(path, { throwIfNoEntry: false })) accessSync(path, constants.R_OK | constants.W_OK);
  }
}

/**
 * Takes the rights of others from the files of a log, and warns where that cannot be done. The directory itself may have
 * been given to the gateway with other things in it, so it is only warned about.
 */
export function tightenModes({ dataDir, ...files }: DirectoryFiles, logger: Logger): void {
  if (process.platform === 'win32') return;
  for (const path of Object.values(files)) {
    if (!isOpenToOthers(path)) continue;
    try {
      chmodSync(path, OWNER_ONLY);
      logger.info({}, `${path} could be read by other users; now only by its owner`);
    } catch (error) {
      logger.warn({ error: errorMessage(error) }, `${path} can be read by other users: make it mode 600`);
    }
  }
  if (isOpenToOthers(dataDir)) {
    logger.warn({}, `other users may enter the data directory ${dataDir}: chmod 700 ends that`);
  }
}

const isOpenToOthers = (path: string): boolean => {
  const mode = statSync(path, { throwIfNoEntry: false })?.mode;
  return mode !== undefined && (mode & OTHERS) !== 0;
};
