import { comparePositions, originOf, type Position, type StoredEvent } from '@magpie/bus';
import { type Event, matchesPattern } from '@magpie/contract';
import type { LogReader } from './tail.ts';
import type { EventFilter, EventSubscription, SubscriptionSink } from './types.ts';

const BATCH = 256;

/** Whether an event passes a filter. */
export function passes({ connection, pattern, kinds }: EventFilter, event: Event): boolean {
  if (connection !== undefined && event.source !== connection) return false;
  if (kinds && !kinds.includes(event.kind)) return false;
  return pattern === undefined || matchesPattern(pattern, event.address);
}

/**
 * Reads the log from a position on for one app, as fast as its credit allows. Nothing is buffered: without credit it does
 * not read. `from` undefined: from the oldest kept event.
 */
export function openStream(
  reader: LogReader,
  filter: EventFilter,
  from: Position | undefined,
  sink: SubscriptionSink,
  oldest: () => Promise<Position | undefined>,
): EventSubscription {
  let cursor = from;
  let credit = 0;
  let closed = false;
  let running = false;
  let checked = from === undefined;

  /** Retention may have removed events after the position asked for: the app must know. */
  const noticeGap = async (): Promise<void> => {
    if (checked || from === undefined) return;
    checked = true;
    const kept = await oldest();
    if (kept && comparePositions(from, kept) < 0 && from !== originOf(kept)) sink.gap(from, kept);
  };

  /** Delivers what passes, up to the credit; the cursor stops at the last event looked at. */
  const deliver = (events: readonly StoredEvent[]): void => {
    const passed: StoredEvent[] = [];
    for (const stored of events) {
      const wanted = passes(filter, stored.event);
      if (wanted && passed.length >= credit) break;
      if (wanted) passed.push(stored);
      cursor = stored.position;
    }
    credit -= passed.length;
    if (passed.length > 0) sink.events(passed);
  };

  const run = async (): Promise<void> => {
    await noticeGap();
    while (!closed && credit > 0) {
      const changed = reader.changed();
      const events = await reader.read(cursor, BATCH);
      if (closed) return;
      deliver(events);
      if (events.length === 0) await changed;
    }
  };

  const start = (): void => {
    if (running || closed) return;
    running = true;
    run()
      .catch((error: Error) => sink.failed(error))
      .finally(() => {
        running = false;
        if (credit > 0 && !closed) start();
      });
  };

  return {
    credit: (count) => {
      credit += count;
      start();
    },
    close: () => {
      closed = true;
    },
  };
}
