import { comparePositions, type EventLog, type Position, type StoredEvent } from '@magpie/bus';
import { type Audience, createAudience } from './event-waiters.ts';
import { createSharedReads } from './shared-reads.ts';

/** Reads the log in order, from memory where the events are recent, else from the store. */
export interface LogReader {
  /** Up to `limit` events after `after` (undefined: from the oldest kept). Empty: nothing new yet, see `changed`. */
  read(after: Position | undefined, limit: number): readonly StoredEvent[] | Promise<readonly StoredEvent[]>;
  /** Whether everything after a position is in memory. */
  holds(after: Position): boolean;
  /** Resolves when an event after the present head has been committed. */
  changed(): Promise<void>;
  /** The last committed position that can be read. */
  head(): Position | undefined;
}

/** The newest committed events in memory, bounded by bytes, so that the router need not read them back. */
export interface Tail extends LogReader, Pick<Audience, 'wait'> {
  /** Adds freshly committed events. Called by the intake after each commit. Throws when they are not in log order. */
  push(events: readonly StoredEvent[]): void;
}

/** Rough memory cost of an event besides its body, in bytes. */
const OVERHEAD = 512;

/** Makes the tail of a log; `maxBytes` bounds what it keeps in memory. */
export function createTail(log: EventLog, maxBytes = 16 * 1024 * 1024): Tail {
  /** Slots below `start` are cleared, so that dropped events can be collected. */
  let ring: (StoredEvent | undefined)[] = [];
  let start = 0;
  let bytes = 0;
  let complete: Position | undefined = log.head();
  let last = log.head();
  let waiters: (() => void)[] = [];
  const audience = createAudience(last);
  const readBack = createSharedReads(log);

  const costOf = (stored: StoredEvent): number => stored.event.body.byteLength + OVERHEAD;

  const trim = (): void => {
    while (bytes > maxBytes && start < ring.length) {
      const dropped = ring[start]!;
      ring[start++] = undefined;
      bytes -= costOf(dropped);
      complete = dropped.position;
    }
    if (start > 1024 && start * 2 > ring.length) {
      ring = ring.slice(start);
      start = 0;
    }
  };

  /** Index of the first kept event after `after`; every event after `complete` is in the ring. */
  const indexAfter = (after: Position): number => {
    let low = start;
    let high = ring.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (comparePositions(ring[middle]!.position, after) <= 0) low = middle + 1;
      else high = middle;
    }
    return low;
  };

  const holds = (after: Position): boolean => complete === undefined || comparePositions(after, complete) >= 0;

  return {
    holds,
    wait: audience.wait,
    push: (events) => {
      for (const stored of events) {
        // Readers advance by position: one out of order would make them read the same range again and again.
        if (last !== undefined && comparePositions(stored.position, last) <= 0) {
          throw new Error(`the log confirmed position ${stored.position} after ${last}`);
        }
        last = stored.position;
        ring.push(stored);
        bytes += costOf(stored);
      }
      trim();
      audience.push(events);
      const woken = waiters;
      waiters = [];
      for (const wake of woken) wake();
    },
    read: (after, limit) => {
      const inRing = after === undefined ? complete === undefined : holds(after);
      if (!inRing) return readBack(after, limit);
      const from = after === undefined ? start : indexAfter(after);
      return ring.slice(from, from + limit) as StoredEvent[];
    },
    changed: () => new Promise((resolve) => waiters.push(resolve)),
    head: () => last,
  };
}
