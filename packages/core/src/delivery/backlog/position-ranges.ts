import { comparePositions, type Position } from '@magpie/bus';

/** Most ranges; one costs about 200 bytes. */
const MOST = 10_000;

/**
 * Ranges of log positions to skip when reading, oldest first. Bounded: when full it takes no more, and no range is merged across
 * an event that is to be delivered; surplus events are delivered again instead (at least once).
 */
export class PositionRanges {
  readonly #list: { readonly from: Position; to: Position }[] = [];
  /** Something after the last added position is to be delivered. */
  #gapBefore = false;

  /** Whether another position can be added. */
  get hasRoom(): boolean {
    return this.#list.length < MOST || !this.#gapBefore;
  }

  /** Adds a position behind all others, to the last range unless `gap` was called since. Called while there is room. */
  add(position: Position): void {
    const last = this.#list.at(-1);
    if (last && !this.#gapBefore) last.to = position;
    else this.#list.push({ from: position, to: position });
    this.#gapBefore = false;
  }

  /** Adds a range before all others, both ends included. */
  addFirst(from: Position, to: Position): void {
    this.#list.unshift({ from, to });
    this.#gapBefore ||= this.#list.length === 1;
  }

  /** The next position is not to be skipped. */
  gap(): void {
    this.#gapBefore = true;
  }

  /** Whether a position is to be skipped. Called in log order; drops the ranges before it. */
  has(position: Position): boolean {
    while (this.#list[0] && comparePositions(this.#list[0].to, position) < 0) this.#list.shift();
    const [first] = this.#list;
    return first !== undefined && comparePositions(first.from, position) <= 0;
  }

  clear(): void {
    this.#list.length = 0;
  }
}
