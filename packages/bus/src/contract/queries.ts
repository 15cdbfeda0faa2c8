import type { AddressPattern, EventKind } from '@magpie/contract';
import type { Position } from './position.ts';
import type { DeadLetterReason, StoredEvent } from './records.ts';

/** Filters of a dead letter list; all given ones must hold. */
export interface DeadLetterQuery {
  readonly consumer?: string;
  readonly reason?: DeadLetterReason;
  /** Only those that ended at or after this time, ms since the epoch. */
  readonly since?: number;
  /** Only those that ended before this time, ms since the epoch. */
  readonly until?: number;
  /** Only those of events from this connection. */
  readonly source?: string;
  /** Only those of this event. */
  readonly ref?: string;
  /** Only ids greater than this (older first). */
  readonly after?: string;
  readonly limit: number;
}

/** Which events are wanted; all given parts must hold. Plain data, so that a store may judge events where they lie. */
export interface EventFilter {
  /** Name of the connection they came from. */
  readonly connection?: string;
  readonly pattern?: AddressPattern;
  readonly kinds?: readonly EventKind[];
}

/** What `EventLog.search` looks for, and how far it goes. */
export interface EventQuery {
  readonly filter: EventFilter;
  /** Exclusive. Undefined: from the oldest event, or from the newest with `back`. */
  readonly from?: Position;
  /** From the newest to the oldest instead of from the oldest to the newest. */
  readonly back?: boolean;
  /** Most events to return, at least 1. */
  readonly limit: number;
  /** Most bytes of bodies and headers to return, beyond the first event. Default `READ_BYTES`. */
  readonly maxBytes?: number;
  /** Most events to look at, so that a filter that matches nothing ends. Default: all of them. */
  readonly maxScan?: number;
}

/** What a search has found, and how far it came. */
export interface EventsFound {
  /** In the order of the search. */
  readonly events: readonly StoredEvent[];
  /** The last event looked at, whether it passed or not: the search goes on from here. Undefined when there was none. */
  readonly reached: Position | undefined;
  /** Number of events looked at. */
  readonly scanned: number;
  /** Whether the search has come to the end of the log. False when a limit has ended it, even at the last event. */
  readonly isEnd: boolean;
}

/** Bytes of bodies and headers that one read returns at the most, beyond its first event, unless it says otherwise. */
export const READ_BYTES = 1024 * 1024;
