import { comparePositions, originOf, type Position, type StoredEvent } from '@magpie/bus';
import type { Match } from '@magpie/routing';
import type { Delivery, Lane } from './delivery.ts';
import type { LogReader } from './tail.ts';

/** Bounds of what one target keeps in memory; the rest waits in the log. */
export const BACKLOG_LIMITS = { deliveries: 1000, bytes: 16 * 1024 * 1024, read: 256 } as const;

/** What a backlog asks of its owner. */
export interface BacklogOwner {
  laneFor(key: string): Lane;
  /** A delivery has been taken in. */
  accepted(delivery: Delivery): void;
  /** The match of this target for an event read back from the log. */
  match(stored: StoredEvent): Match | undefined;
  /** Deliveries read back from the log have been taken in. */
  refilled(): void;
  /** The floor may have moved. */
  moved(): void;
  failed(error: Error): void;
}

/**
 * The deliveries of one target in log order, bounded in memory. When it is full it stops taking from the router
 * (`lagging`) and later reads on from the log itself until it has caught up.
 */
export class Backlog {
  readonly #reader: LogReader;
  readonly #owner: BacklogOwner;
  readonly #routed: () => Position | undefined;
  #queue: Delivery[] = [];
  #start = 0;
  #bytes = 0;
  #floor: Position | undefined;
  #cursor: Position | undefined;
  #lagging = false;
  #reading = false;
  #closed = false;

  /** `routed` tells up to where the router has matched. */
  constructor(reader: LogReader, routed: () => Position | undefined, owner: BacklogOwner) {
    this.#reader = reader;
    this.#routed = routed;
    this.#owner = owner;
  }

  get lagging(): boolean {
    return this.#lagging;
  }

  /** The last position up to which everything is settled; null when there is nothing to remember. */
  floor(): Position | null {
    return this.#lagging || this.#start < this.#queue.length ? (this.#floor ?? null) : null;
  }

  /** Deliveries from the first unsettled one on, in log order; some of them may be settled. */
  pending(): readonly Delivery[] {
    return this.#queue.slice(this.#start);
  }

  get size(): number {
    return this.#queue.length - this.#start;
  }

  /** Takes a delivery from the router. `before` is the position matched before this event, undefined in a new log. */
  offer(stored: StoredEvent, match: Match, before: Position | undefined): void {
    if (this.#lagging) return;
    if (this.#cursor !== undefined && comparePositions(stored.position, this.#cursor) <= 0) return;
    if (this.size === 0) this.#floor = before ?? originOf(stored.position);
    if (this.#isFull()) this.#lagging = true;
    else this.#accept(stored, match);
  }

  /** Begins behind the router, at a floor from the log. */
  resume(floor: Position): void {
    this.#floor = floor;
    this.#cursor = floor;
    this.#lagging = true;
    this.#refill();
  }

  /** A delivery was settled: moves the floor and reads on when there is room. */
  settled(): void {
    while (this.#queue[this.#start]?.state === 'settled') {
      const done = this.#queue[this.#start++]!;
      this.#floor = done.position;
      this.#bytes -= done.event.body.byteLength;
    }
    if (this.#start > 256 && this.#start * 2 > this.#queue.length) {
      this.#queue = this.#queue.slice(this.#start);
      this.#start = 0;
    }
    this.#owner.moved();
    if (this.#lagging && this.size * 2 < BACKLOG_LIMITS.deliveries) this.#refill();
  }

  close(): void {
    this.#closed = true;
  }

  #isFull(): boolean {
    return this.size >= BACKLOG_LIMITS.deliveries || (this.size > 0 && this.#bytes >= BACKLOG_LIMITS.bytes);
  }

  #accept({ position, event }: StoredEvent, { key, error }: Match): void {
    const lane = this.#owner.laneFor(key);
    const delivery: Delivery = {
      position,
      event,
      lane,
      state: 'ready',
      attempts: [],
      redelivered: false,
      nextAttempt: undefined,
      error,
    };
    this.#queue.push(delivery);
    this.#bytes += event.body.byteLength;
    this.#cursor = position;
    this.#owner.accepted(delivery);
  }

  #refill(): void {
    if (this.#reading || this.#closed) return;
    this.#reading = true;
    this.#catchUp()
      .catch((error: Error) => this.#owner.failed(error))
      .finally(() => {
        this.#reading = false;
      });
  }

  async #catchUp(): Promise<void> {
    while (this.#lagging && !this.#closed && !this.#isFull()) {
      const changed = this.#reader.changed();
      const events = await this.#reader.read(this.#cursor, BACKLOG_LIMITS.read);
      for (const stored of events) {
        if (this.#isFull()) break;
        const match = this.#owner.match(stored);
        if (match) this.#accept(stored, match);
        this.#cursor = stored.position;
      }
      this.#joinRouter();
      this.#owner.refilled();
      if (events.length === 0 && this.#lagging) await changed;
    }
  }

  /** Goes back to taking from the router once nothing lies between the two. Synchronous, so nothing is missed. */
  #joinRouter(): void {
    const routed = this.#routed();
    if (routed === undefined || (this.#cursor && comparePositions(this.#cursor, routed) >= 0)) this.#lagging = false;
    if (!this.#lagging) this.#owner.moved();
  }
}
