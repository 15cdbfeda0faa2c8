import { type Clock, type Logger, steadyTime, systemClock } from '@magpie/contract';
import type { LogFailed } from '../contract/index.ts';
import type { DedupeWindow } from './dedupe-window.ts';
import { createEventAges, type EventAges, type SavedAges } from './event-ages.ts';
import { type MachineTime, systemMachine } from './machine-time.ts';

/** Time as a store sees it. A test may give wall time alone, which then measures durations too. */
export type LogClock = Pick<Clock, 'now'> & Partial<Clock>;

/** What a log is opened with. A store ignores what it has no use for. */
export interface LogOptions {
  /**
   * Wall time for retention by age, monotonic time for the dedupe window, timeouts for commits that wait for room on the
   * disk. Default: the system's.
   */
  readonly clock?: LogClock;
  /** What tells the time between two processes. Default: the system's. */
  readonly machine?: MachineTime;
  /** Default: ten minutes or a million keys. */
  readonly dedupe?: Partial<DedupeWindow>;
  /** Reports damaged records, which are skipped, and a disk that fills up. */
  readonly logger?: Logger;
  /** Called once when the log fails for good after it was opened, also while nobody commits: end the process. */
  readonly onFailed?: (error: LogFailed) => void;
}

/** What the SQLite store is opened with. */
export interface SqliteLogOptions extends LogOptions {
  /** Directory of the log, created when it is missing. One process at a time. */
  readonly dataDir: string;
  /** Size in bytes of the file that keeps room for floors and dead letters on a full disk. Default 64 MiB, 0 for none. */
  readonly reserveBytes?: number;
  /** Appends stop below this many free bytes. Default 256 MiB or 5 % of the file system, whichever is more. */
  readonly minFreeBytes?: number;
  /**
   * Opens the log although some of its files are missing; what they held is lost. The epoch changes, so that earlier positions
   * become invalid and no new event is mistaken for a lost one.
   */
  readonly acceptLoss?: boolean;
}

/** Time in ms since the epoch, immune to steps of the wall clock where `clock` has a monotonic time. */
export const steadyTimeOf = (clock: LogClock): (() => number) =>
  hasMonotonic(clock) ? steadyTime(clock) : () => clock.now();

/** The event ages of a log that continues from `saved`. */
export const eventAgesOf = (
  { clock = systemClock, machine = systemMachine }: LogOptions,
  saved?: SavedAges,
): EventAges => {
  const timed = hasMonotonic(clock) ? clock : { now: clock.now, monotonic: clock.now };
  return createEventAges(timed, machine, saved);
};

/** The present moment by all clocks, for a new log. */
export const momentOf = ({ clock = systemClock, machine = systemMachine }: LogOptions): SavedAges => ({
  wall: clock.now(),
  uptime: machine.uptime(),
  boot: machine.boot(),
  steps: [],
});

const hasMonotonic = (clock: LogClock): clock is LogClock & Pick<Clock, 'monotonic'> => clock.monotonic !== undefined;
