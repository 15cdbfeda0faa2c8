import type { Clock, Logger } from '@magpie/contract';

/** How long and for how many events a dedupe key is remembered; whichever ends first. */
export interface DedupeWindow {
  /** Milliseconds in which the log is open and the source of the event has its connection. */
  readonly windowMs: number;
  /** Number of events with a dedupe key. */
  readonly count: number;
}

/** Ten minutes or a million keys. */
export const DEFAULT_DEDUPE: DedupeWindow = { windowMs: 600_000, count: 1_000_000 };

/** What every store can be given. */
export interface LogOptions {
  /** Wall time for retention by age, and for the dedupe window, which by default is not moved by a clock that is set. */
  readonly clock?: Pick<Clock, 'now'>;
  readonly dedupe?: Partial<DedupeWindow>;
}

/** Contents remembered under one dedupe key; beyond it further mismatches are appended but not remembered. */
export const SAME_KEY_LIMIT = 8;

/** What the SQLite store can be given. */
export interface SqliteLogOptions extends LogOptions {
  /** Directory of the log, created when it is missing. One process at a time. */
  readonly dataDir: string;
  /** Size in bytes of the file that keeps room for floors and dead letters on a full disk. Default 64 MiB, 0 for none. */
  readonly reserveBytes?: number;
  /** Appends stop below this many free bytes. Default 256 MiB or 5 % of the file system, whichever is more. */
  readonly minFreeBytes?: number;
  /** Hears about damaged records, which are skipped, and about a disk that fills up. */
  readonly logger?: Logger;
}
