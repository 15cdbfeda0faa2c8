import type { Clock } from '@magpie/contract';

/** Lines of its own that each place gets about commands which came late. */
export const MOST_LINES = 5;
/** When nothing has come late for so long, in ms, what was missed has been read. */
const QUIET_MS = 5000;
/** Places counted at a time: for one more the oldest is summed up early. */
const MOST_PLACES = 10_000;

interface Place {
  lines: number;
  more: number;
  /** Says how many more there were. */
  tell: (more: number) => void;
  cancel: () => void;
}

/**
 * Bounds what is said in each place about commands that came late: some get a line, the others are counted and summed up once no more come.
 * Counts are in memory: a gateway that stops or is killed before says nothing of those. One per gateway.
 */
export class LateReports {
  readonly #clock: Clock;
  readonly #places = new Map<string, Place>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether one more gets a line in a place. When not, it is counted, and `tell` of the last one counted is called in the end. */
  takes(name: string, tell: (more: number) => void): boolean {
    const place = this.#places.get(name) ?? { lines: 0, more: 0, tell, cancel: () => undefined };
    place.cancel();
    place.cancel = this.#clock.timeout(QUIET_MS, () => this.#end(name, place));
    this.#places.set(name, place);
    if (this.#places.size > MOST_PLACES) this.#endOldest();
    if (place.lines < MOST_LINES) {
      place.lines += 1;
      return true;
    }
    place.more += 1;
    place.tell = tell;
    return false;
  }

  /** Says nothing more. */
  stop(): void {
    for (const { cancel } of this.#places.values()) cancel();
    this.#places.clear();
  }

  #endOldest(): void {
    const [oldest] = this.#places;
    if (oldest !== undefined) this.#end(...oldest);
  }

  #end(name: string, { more, tell, cancel }: Place): void {
    cancel();
    this.#places.delete(name);
    if (more > 0) tell(more);
  }
}
