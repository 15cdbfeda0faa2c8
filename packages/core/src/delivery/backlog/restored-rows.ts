import { comparePositions, type ExceptionRow, type Position } from '@magpie/bus';

/** Exception rows from before a restart or reload that wait until reading reaches their place in the log. */
export class RestoredRows {
  /** In log order. */
  #waiting: ExceptionRow[] = [];
  /** Positions of all rows taken back and of dead letters: reading on from the floor must not take them in again. */
  #known = new Set<Position>();

  /** Takes rows in, and the positions of deliveries that ended as dead letters. */
  restore(rows: readonly ExceptionRow[], dead: ReadonlySet<Position>): void {
    const all = new Map([...this.#waiting, ...rows].map((row) => [row.position, row]));
    this.#waiting = [...all.values()].sort((a, b) => comparePositions(a.position, b.position));
    this.#known = new Set([...dead, ...all.keys()]);
  }

  /** Adds a row behind the others. */
  add(row: ExceptionRow): void {
    this.#waiting.push(row);
  }

  /** Whether an event has a row or a dead letter. */
  isKnown(position: Position): boolean {
    return this.#known.has(position);
  }

  /** Removes and returns the rows up to a position, in log order; all of them without one. */
  *takeUpTo(position: Position | undefined): Iterable<ExceptionRow> {
    for (let row = this.#waiting[0]; row; row = this.#waiting[0]) {
      if (position !== undefined && comparePositions(row.position, position) > 0) return;
      this.#waiting.shift();
      yield row;
    }
  }

  /** Forgets the positions that reading has passed. */
  forget(isPassed: (position: Position) => boolean): void {
    this.#known = new Set([...this.#known].filter((position) => !isPassed(position)));
  }
}
