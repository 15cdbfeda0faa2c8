import type { Cursor } from './cursors.ts';

interface Step {
  readonly point: Cursor | undefined;
  done: boolean;
}

/** The messages of an archive on their way into the log: up to where all of them are there. One per archive and link. */
export class Progress {
  readonly #moved: (point: Cursor) => void;
  #steps: Step[] = [];

  /** @param moved called with the last message that is in the log together with all before it. */
  constructor(moved: (point: Cursor) => void) {
    this.#moved = moved;
  }

  /** Adds what comes next; call the result once the log has it. Without a point: a notice that must be stored first. */
  add(point?: Cursor): () => void {
    const step: Step = { point, done: false };
    this.#steps.push(step);
    return () => {
      step.done = true;
      if (this.#steps[0] === step) this.#advance();
    };
  }

  #advance(): void {
    const waiting = this.#steps.findIndex(({ done }) => !done);
    const done = waiting === -1 ? this.#steps.splice(0) : this.#steps.splice(0, waiting);
    const last = done.findLast(({ point }) => point !== undefined)?.point;
    if (last) this.#moved(last);
  }
}
