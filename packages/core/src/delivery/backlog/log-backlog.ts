import { comparePositions, type Position } from '@magpie/bus';

/** Bytes of bodies that wait for one target in the log, not in memory. */
export class LogBacklog {
  #bytes = 0;
  /** Up to here the router had been before, and nobody has noted how much waits. */
  #uncounted: Position | undefined;

  get bytes(): number {
    return this.#bytes;
  }

  /** Reading begins at a floor: a former self had been offered what lies at or before `matched`, `waiting` bytes in all. */
  begin(waiting: number | undefined, matched: Position | undefined): void {
    if (waiting === undefined) this.#uncounted = matched;
    else this.#bytes += waiting;
  }

  /** The router has offered something that waits in the log. */
  offered(bytes: number): void {
    this.#bytes += bytes;
  }

  /** What was offered at a position has been read back. */
  read(position: Position, bytes: number): void {
    if (!isUpTo(this.#uncounted, position)) this.#bytes = Math.max(0, this.#bytes - bytes);
  }

  /** Nothing waits in the log any more. */
  clear(): void {
    this.#bytes = 0;
  }
}

/** Whether a position lies at or before a bound; false without one. */
export const isUpTo = (bound: Position | undefined, position: Position): boolean =>
  bound !== undefined && comparePositions(position, bound) <= 0;
