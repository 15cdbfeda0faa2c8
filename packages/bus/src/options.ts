import type { Clock } from '@magpie/contract';

/** How long and for how many events a dedupe key is remembered; whichever ends first. */
export interface DedupeWindow {
  /** Milliseconds of the injected clock. */
  readonly windowMs: number;
  /** Number of events with a dedupe key. */
  readonly count: number;
}

/** Ten minutes or a million keys. */
export const DEFAULT_DEDUPE: DedupeWindow = { windowMs: 600_000, count: 1_000_000 };

/** What every store can be given. */
export interface LogOptions {
  /** Wall time for the dedupe window and for retention by age. */
  readonly clock?: Pick<Clock, 'now'>;
  readonly dedupe?: Partial<DedupeWindow>;
}
