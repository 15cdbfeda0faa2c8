import type { Delivery } from '../delivery.ts';

/** Cleared slots are given back from so many on. */
const COMPACT_FROM = 256;

/** Deliveries in log order: added at the end, removed at the start, with their bytes. */
export class DeliveryRing {
  /** Slots below `#start` are cleared, so that what is done can be collected. */
  #slots: (Delivery | undefined)[] = [];
  #start = 0;
  #bytes = 0;

  get size(): number {
    return this.#slots.length - this.#start;
  }

  /** Bytes of their bodies. */
  get bytes(): number {
    return this.#bytes;
  }

  get first(): Delivery | undefined {
    return this.#slots[this.#start];
  }

  all(): readonly Delivery[] {
    return this.#slots.slice(this.#start) as Delivery[];
  }

  push(delivery: Delivery): void {
    this.#slots.push(delivery);
    this.#bytes += delivery.event.body.byteLength;
  }

  /** Removes the first one. Called while there is one. */
  shift(): void {
    this.#bytes -= this.first?.event.body.byteLength ?? 0;
    this.#slots[this.#start++] = undefined;
    if (this.#start > COMPACT_FROM && this.#start * 2 > this.#slots.length) {
      this.#slots = this.#slots.slice(this.#start);
      this.#start = 0;
    }
  }
}
