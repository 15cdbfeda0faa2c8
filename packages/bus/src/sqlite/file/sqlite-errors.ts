/** What an error of the database means for the log. */
export type ErrorClass = 'full' | 'fatal' | 'request';

const SQLITE_BUSY = 5;
const SQLITE_FULL = 13;
const SQLITE_IOERR_SHMSIZE = 10 | (19 << 8);
/** PERM, READONLY, CANTOPEN. */
const UNWRITABLE = new Set([3, 8, 14]);
/** PERM, READONLY, IOERR, CORRUPT, CANTOPEN, NOTADB. */
const FATAL = new Set([3, 8, 10, 11, 14, 26]);

/** What the file system says instead, where no database is asked. */
const UNWRITABLE_SYSTEM = new Set(['EACCES', 'EPERM', 'EROFS']);
const FULL_SYSTEM = new Set(['ENOSPC', 'EDQUOT']);

/**
 * Judges an error of node:sqlite by its result code, or one of the file system: no space left, a log that can no longer be
 * trusted, or a request that was wrong in itself.
 */
export function classify(error: unknown): ErrorClass {
  const code = resultCode(error);
  if (code === undefined) {
    if (FULL_SYSTEM.has(systemCode(error))) return 'full';
    return isLogFailed(error) ? 'fatal' : 'request';
  }
  // The shared index of the write-ahead log could not grow: that is a full disk, no data was at stake.
  if (code === SQLITE_IOERR_SHMSIZE || (code & 0xff) === SQLITE_FULL) return 'full';
  return FATAL.has(code & 0xff) ? 'fatal' : 'request';
}

/** Whether another connection holds the database. */
export const isBusy = (error: unknown): boolean => ((resultCode(error) ?? 0) & 0xff) === SQLITE_BUSY;

/** Whether this user may not write there: nothing is wrong with the log. */
export const isUnwritable = (error: unknown): boolean =>
  UNWRITABLE.has((resultCode(error) ?? 0) & 0xff) || UNWRITABLE_SYSTEM.has(systemCode(error));

const resultCode = (error: unknown): number | undefined =>
  error instanceof Error && 'errcode' in error && typeof error.errcode === 'number' ? error.errcode : undefined;

const systemCode = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';

const isLogFailed = (error: unknown): boolean => error instanceof Error && error.name === 'LogFailed';

/** The message of a database error with its result code, for `LogFailed`. */
export function describeError(error: unknown): string {
  const code = resultCode(error);
  const message = error instanceof Error ? error.message : String(error);
  return code === undefined ? message : `${message} (SQLite result code ${code})`;
}
