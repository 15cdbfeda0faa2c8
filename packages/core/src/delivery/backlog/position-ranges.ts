import { comparePositions, type Position } from '@magpie/bus';

/** PositionRanges that are kept apart; one costs about 200 bytes. */
const MOST = 10_000;

/**
 * PositionRanges of the log, oldest first, that whoever reads on leaves out. Bounded: when there are too many it takes no other. None
 * is ever widened over something that is to stay, so what does not fit is not left out: rather too much than too little.
 */
export class PositionRanges {
  readonly #list: { readonly from: Position; to: Position }[] = [];
  /** Something since the last added position is not to be left out. */
  #gapBefore = false;

  /** Whether another position can be added. */
  get hasRoom(): boolean {
    return this.#list.length < MOST || !this.#gapBefore;
  }

  /** Adds a position behind all others, to the last stretch unless `gap` was called since. Called while there is room. */
  add(position: Position): void {
    const last = this.#list.at(-1);
    if (last && !this.#gapBefore) last.to = position;
    else this.#list.push({ from: position, to: position });
    this.#gapBefore = false;
  }

  /** Adds a stretch before all others, both ends included. */
  addFirst(from: Position, to: Position): void {
    this.#list.unshift({ from, to });
    this.#gapBefore ||= this.#list.length === 1;
  }

  /** What comes now is not to be left out. */
  gap(): void {
    this.#gapBefore = true;
  }

  /** Whether a position is to be left out. Called in log order; forgets what lies before it. */
  has(position: Position): boolean {
    while (this.#list[0] && comparePositions(this.#list[0].to, position) < 0) this.#list.shift();
    const [first] = this.#list;
    return first !== undefined && comparePositions(first.from, position) <= 0;
  }

  clear(): void {
    this.#list.length = 0;
  }
}
