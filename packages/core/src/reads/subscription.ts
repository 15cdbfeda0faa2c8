import { comparePositions, matchesFilter, originOf, type Position, type StoredEvent } from '@magpie/bus';
import type { EventFilter, EventSubscription, SubscriptionSink } from '../gateway-api/index.ts';
import type { Tail } from '../log-access/tail.ts';

const BATCH = 256;

/** Most bytes of bodies handed over at once; a single event may be larger. Bounds what a reader gets after `pause`. */
const BATCH_BYTES = 256 * 1024;

/** What a stream reads and where it begins. */
export interface StreamOptions {
  readonly reader: Pick<Tail, 'read' | 'holds' | 'head' | 'wait'>;
  readonly filter: EventFilter;
  /** Undefined: from the oldest kept event. */
  readonly from: Position | undefined;
  readonly sink: SubscriptionSink;
  /** The oldest kept position. Asked when reading resumes behind what is in memory. */
  oldest(): Promise<Position | undefined>;
}

/**
 * Reads the log from a position on for one app, as fast as its credit allows. Nothing is buffered: without credit it does
 * not read.
 */
export class Stream implements EventSubscription {
  readonly #options: StreamOptions;
  #cursor: Position | undefined;
  #credit = 0;
  #closed = false;
  #paused = false;
  #running = false;
  /** Ends the waiting for an event that passes; undefined while it does not wait. */
  #stopWaiting: (() => void) | undefined;
  /** The cursor at which a gap was last told. */
  #told: Position | undefined;

  constructor(options: StreamOptions) {
    this.#options = options;
    this.#cursor = options.from;
  }

  credit(count: number): void {
    this.#credit += count;
    this.#start();
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#start();
  }

  close(): void {
    this.#closed = true;
    this.#stopWaiting?.();
  }

  get #wanted(): boolean {
    return !this.#closed && !this.#paused && this.#credit > 0;
  }

  #start(): void {
    if (this.#running || !this.#wanted) return;
    this.#running = true;
    this.#run()
      .catch((error: Error) => {
        this.#closed = true;
        this.#options.sink.failed(error);
      })
      .finally(() => {
        this.#running = false;
        this.#start();
      });
  }

  async #run(): Promise<void> {
    const { reader } = this.#options;
    const newest = reader.head();
    // From a position, what others read at the same place is shared.
    if (newest !== undefined) this.#cursor ??= originOf(newest);
    await this.#noticeGap();
    while (this.#wanted) {
      const head = reader.head();
      const events = await reader.read(this.#cursor, BATCH);
      if (!this.#wanted) return;
      this.#deliver(events);
      // Nothing has come since it was looked, and what comes from now on is heard of.
      if (events.length === 0 && reader.head() === head) await this.#fitting();
    }
  }

  /** Resolves when there is an event that passes, or when it is closed. What lies before it need not be looked at. */
  #fitting(): Promise<void> {
    const { reader, filter } = this.#options;
    const cursor = this.#cursor;
    return new Promise((resolve) => {
      const cancel = reader.wait(filter, (before) => {
        if (before !== undefined && (cursor === undefined || comparePositions(before, cursor) > 0))
          this.#cursor = before;
        this.#stopWaiting = undefined;
        resolve();
      });
      this.#stopWaiting = () => {
        cancel();
        this.#stopWaiting = undefined;
        resolve();
      };
    });
  }

  /** Retention may have removed events after the cursor while nothing was read: the app must know. */
  async #noticeGap(): Promise<void> {
    const { reader, sink, oldest } = this.#options;
    const cursor = this.#cursor;
    if (cursor === undefined || cursor === this.#told || reader.holds(cursor)) return;
    const kept = await oldest();
    if (this.#closed || !kept || comparePositions(cursor, kept) >= 0 || cursor === originOf(kept)) return;
    this.#told = cursor;
    sink.gap(cursor, kept);
  }

  /** Delivers what passes, up to the credit and the bytes of one batch; the cursor stops at the last event looked at. */
  #deliver(events: readonly StoredEvent[]): void {
    const passed: StoredEvent[] = [];
    let bytes = 0;
    for (const stored of events) {
      if (matchesFilter(this.#options.filter, stored.event)) {
        if (passed.length >= this.#credit || bytes > BATCH_BYTES) break;
        passed.push(stored);
        bytes += stored.event.body.byteLength;
      }
      this.#cursor = stored.position;
    }
    this.#credit -= passed.length;
    if (passed.length > 0) this.#options.sink.events(passed);
  }
}
