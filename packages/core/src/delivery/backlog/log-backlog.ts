import { comparePositions, type Position } from '@magpie/bus';

/** Bytes of bodies that wait for one target in the log, not in memory. */
export class LogBacklog {
  #bytes = 0;
  /** The size is unknown up to here: the last process stored no byte count. */
  #uncounted: Position | undefined;

  get bytes(): number {
    return this.#bytes;
  }

  /** Reading begins at a floor. Before the restart everything up to `matched` had been offered, of which `waiting` bytes wait. */
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
    if (this.#uncounted === undefined || comparePositions(position, this.#uncounted) > 0)
      this.#bytes = Math.max(0, this.#bytes - bytes);
  }

  /** Nothing is left in the log. */
  clear(): void {
    this.#bytes = 0;
  }
}
