import type { Event } from '@magpie/contract';

/** How long and for how many events a dedupe key is remembered; whichever ends first. */
export interface DedupeWindow {
  /** Milliseconds in which the log is open and the source of the event has its connection. */
  readonly windowMs: number;
  /** Number of events with a dedupe key. */
  readonly count: number;
}

/** Ten minutes or a million keys. */
export const DEFAULT_DEDUPE: DedupeWindow = { windowMs: 600_000, count: 1_000_000 };

/** Contents remembered under one dedupe key; beyond it further mismatches are appended but not remembered. */
export const SAME_KEY_LIMIT = 8;

/** Whether the dedupe key of an event is compared with the known ones, and not only remembered. */
export const isCompared = ({ dedupe, redelivered }: Pick<Event, 'dedupe' | 'redelivered'>): boolean =>
  dedupe !== 'redelivered' || redelivered === true;
