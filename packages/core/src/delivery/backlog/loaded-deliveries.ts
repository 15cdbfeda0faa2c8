import { comparePositions, type Position } from '@magpie/bus';
import type { Delivery } from '../delivery.ts';
import type { BacklogLimits } from './limits.ts';

/** Cleared slots are given back from so many on. */
const COMPACT_FROM = 256;

/**
 * The deliveries of one target that are in memory: queued in log order from the floor on, and parked beside the queue when they
 * have a durable exception row, so that they hold neither the floor nor what comes after them.
 */
export class LoadedDeliveries {
  readonly #limits: BacklogLimits;
  /** Slots below `#start` are cleared, so that what is done can be collected. */
  #queue: (Delivery | undefined)[] = [];
  #start = 0;
  #bytes = 0;
  readonly #parked = new Map<Position, Delivery>();
  #parkedBytes = 0;
  #floor: Position | undefined;

  constructor(limits: BacklogLimits) {
    this.#limits = limits;
  }

  /** Deliveries besides the parked ones. */
  get size(): number {
    return this.#queue.length - this.#start;
  }

  /** Bytes of their bodies. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The parked ones, and the bytes of their bodies. */
  get parked(): { readonly size: number; readonly bytes: number } {
    return { size: this.#parked.size, bytes: this.#parkedBytes };
  }

  /** The last position up to which everything is settled or parked. */
  get floor(): Position | undefined {
    return this.#floor;
  }

  /** Receipt time of the oldest delivery that is not parked, ms since the epoch. */
  get oldest(): number | undefined {
    return this.#queue[this.#start]?.event.receivedAt;
  }

  /** Whether a new delivery fits, `before` being the position before it, where the floor starts while nothing is queued. */
  hasRoomAfter(before: Position): boolean {
    this.startAt(before);
    return !this.isFull;
  }

  /** Whether the limits are used up. A delivery that is alone may be of any size. */
  get isFull(): boolean {
    const { deliveries, bytes, parked, parkedBytes } = this.#limits;
    const { size } = this;
    if (size >= deliveries || (size > 0 && this.#bytes >= bytes)) return true;
    return this.#parked.size >= parked || this.#parkedBytes >= parkedBytes;
  }

  /** Whether less than half is used, so that reading on from the log is worth while. */
  get isHalfEmpty(): boolean {
    return this.size * 2 < this.#limits.deliveries;
  }

  /** Moves the floor while nothing is queued. */
  startAt(floor: Position): void {
    if (this.size === 0) this.#floor = floor;
  }

  /** Adds a delivery behind all others. */
  add(delivery: Delivery): void {
    this.#queue.push(delivery);
    this.#bytes += delivery.event.body.byteLength;
  }

  isParked(position: Position): boolean {
    return this.#parked.has(position);
  }

  /** Puts a delivery beside the queue. */
  park(delivery: Delivery): void {
    delivery.parked = true;
    this.#parked.set(delivery.position, delivery);
    this.#parkedBytes += delivery.event.body.byteLength;
    this.#advance();
  }

  /** A delivery is over: removes it. */
  settled({ position, event }: Delivery): void {
    if (this.#parked.delete(position)) this.#parkedBytes -= event.body.byteLength;
    this.#advance();
  }

  /** Deliveries that are not out of the way, in log order; some of them may be settled. */
  pending(): readonly Delivery[] {
    const queued = this.#queued().filter(({ parked }) => !parked);
    if (this.#parked.size === 0) return queued;
    return [...this.#parked.values(), ...queued].sort((a, b) => comparePositions(a.position, b.position));
  }

  /** Deliveries that hold the floor though something later is out of the way: without a row of their own that would be repeated. */
  holdingFloor(): readonly Delivery[] {
    const queued = this.#queued();
    const last = queued.findLastIndex(({ state, parked }) => state === 'settled' || parked);
    return queued
      .slice(0, Math.max(0, last))
      .filter(({ state, remembered }) => !remembered && (state === 'flight' || state === 'ready'));
  }

  /** Moves the floor past whatever no longer holds it. */
  #advance(): void {
    for (let first = this.#queue[this.#start]; first?.parked || first?.state === 'settled'; ) {
      this.#queue[this.#start++] = undefined;
      this.#bytes -= first.event.body.byteLength;
      this.#floor = first.position;
      first = this.#queue[this.#start];
    }
    if (this.#start > COMPACT_FROM && this.#start * 2 > this.#queue.length) {
      this.#queue = this.#queue.slice(this.#start);
      this.#start = 0;
    }
  }

  #queued(): readonly Delivery[] {
    return this.#queue.slice(this.#start) as Delivery[];
  }
}
