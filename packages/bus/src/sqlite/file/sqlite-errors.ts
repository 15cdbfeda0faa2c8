/** What an error of the database means for the log. */
export type Failure = 'full' | 'fatal' | 'request';

const SQLITE_IOERR_SHMSIZE = 10 | (19 << 8);
const FULL = 13;
/** PERM, READONLY, IOERR, CORRUPT, CANTOPEN, NOTADB. */
const FATAL = new Set([3, 8, 10, 11, 14, 26]);

/**
 * Judges an error of node:sqlite by its result code: no space left, a log that can no longer be trusted, or a request
 * that was wrong in itself.
 */
export function classify(error: unknown): Failure {
  const code = resultCode(error);
  if (code === undefined) return isLogFailed(error) ? 'fatal' : 'request';
  // The shared index of the write-ahead log could not grow: that is a full disk, no data was at stake.
  if (code === SQLITE_IOERR_SHMSIZE || (code & 0xff) === FULL) return 'full';
  return FATAL.has(code & 0xff) ? 'fatal' : 'request';
}

const resultCode = (error: unknown): number | undefined =>
  error instanceof Error && 'errcode' in error && typeof error.errcode === 'number' ? error.errcode : undefined;

const isLogFailed = (error: unknown): boolean => error instanceof Error && error.name === 'LogFailed';

/** The message of a database error with its result code, for `LogFailed`. */
export function describeError(error: unknown): string {
  const code = resultCode(error);
  const message = error instanceof Error ? error.message : String(error);
  return code === undefined ? message : `${message} (SQLite result code ${code})`;
}
