/** The little of a structured logger that adapters and packages use. Never pass bodies or secrets. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

const silent = (): void => undefined;

/** Discards everything; the default in tests. */
export const nullLogger: Logger = { debug: silent, info: silent, warn: silent, error: silent };
