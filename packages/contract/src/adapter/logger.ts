import type { LogFields } from './log-fields.ts';

/** Levels of log lines, from most to least. */
export type LogLineLevel = 'debug' | 'info' | 'warn' | 'error';

/**
 * The little of a structured logger that adapters and packages use. Fields are those of `LOG_FIELDS`; never pass bodies or
 * secrets, in fields or in the message. Methods return at once and never throw.
 */
export interface Logger {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
  /** A logger whose lines have these fields too; fields of a line win. Called once per part, not per line. */
  child(fields: LogFields): Logger;
}

/** A logger that hands each line to `write`, with the fields of its parents. For tests and programs without a log of their own. */
export function createLineLogger(write: (level: LogLineLevel, fields: LogFields, message: string) => void): Logger {
  const make = (fixed: LogFields): Logger => {
    const at =
      (level: LogLineLevel) =>
      (fields: LogFields, message: string): void =>
        write(level, { ...fixed, ...fields }, message);
    return {
      debug: at('debug'),
      info: at('info'),
      warn: at('warn'),
      error: at('error'),
      child: (fields) => make({ ...fixed, ...fields }),
    };
  };
  return make({});
}

/** Discards everything; the default in tests. */
export const nullLogger: Logger = createLineLogger(() => undefined);
