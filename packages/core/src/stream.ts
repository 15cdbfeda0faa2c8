import { comparePositions, originOf, type Position, type StoredEvent } from '@magpie/bus';
import { type Event, matchesPattern } from '@magpie/contract';
import type { LogReader } from './tail.ts';
import type { EventFilter, EventSubscription, SubscriptionSink } from './types.ts';

const BATCH = 256;

/** Most bytes of bodies handed over at once; a single event may be larger. Bounds what a reader gets after `pause`. */
const BATCH_BYTES = 256 * 1024;

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
  let paused = false;
  let running = false;
  let checked = from === undefined;

  const wanted = (): boolean => !closed && !paused && credit > 0;

  /** Retention may have removed events after the position asked for: the app must know. */
  const noticeGap = async (): Promise<void> => {
    if (checked || from === undefined) return;
    checked = true;
    const kept = await oldest();
    if (kept && comparePositions(from, kept) < 0 && from !== originOf(kept)) sink.gap(from, kept);
  };

  /** Delivers what passes, up to the credit and the bytes of one batch; the cursor stops at the last event looked at. */
  const deliver = (events: readonly StoredEvent[]): void => {
    const passed: StoredEvent[] = [];
    let bytes = 0;
    for (const stored of events) {
      const passing = passes(filter, stored.event);
      if (passing && (passed.length >= credit || bytes > BATCH_BYTES)) break;
      if (passing) passed.push(stored);
      if (passing) bytes += stored.event.body.byteLength;
      cursor = stored.position;
    }
    credit -= passed.length;
    if (passed.length > 0) sink.events(passed);
  };

  const run = async (): Promise<void> => {
    await noticeGap();
    while (wanted()) {
      const changed = reader.changed();
      const events = await reader.read(cursor, BATCH);
      if (!wanted()) return;
      deliver(events);
      if (events.length === 0) await changed;
    }
  };

  const start = (): void => {
    if (running || !wanted()) return;
    running = true;
    run()
      .catch((error: Error) => {
        closed = true;
        sink.failed(error);
      })
      .finally(() => {
        running = false;
        start();
      });
  };

  return {
    credit: (count) => {
      credit += count;
      start();
    },
    pause: () => {
      paused = true;
    },
    resume: () => {
      paused = false;
      start();
    },
    close: () => {
      closed = true;
    },
  };
}
