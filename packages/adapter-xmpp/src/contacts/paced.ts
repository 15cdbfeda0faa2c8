import type { Clock } from '@magpie/contract';
import type { Element } from '../codec/stanza/element.ts';

/** Stanzas that one person may get at a time, and the pause after them, ms. */
const BURST = 100;
const PAUSE_MS = 10;

/** What one person gets within a pause, and what waits for the next. */
interface Line {
  sent: number;
  readonly waiting: (() => Element)[];
}

/**
 * Sends to many people at the pace that each of them can take: ejabberd ends the session of a client that has more than 5,000
 * stanzas unacknowledged, and one with as many contacts would never get past its login.
 */
export class Paced {
  readonly #clock: Clock;
  readonly #post: (stanza: Element) => void;
  readonly #lines = new Map<string, Line>();

  constructor(clock: Clock, post: (stanza: Element) => void) {
    this.#clock = clock;
    this.#post = post;
  }

  /** Sends in the order of the calls; `make` makes the stanza when its turn has come, so that it says what is true then. */
  send(person: string, make: () => Element): void {
    const line = this.#lines.get(person) ?? this.#open(person);
    if (line.sent >= BURST) line.waiting.push(make);
    else {
      line.sent++;
      this.#post(make());
    }
  }

  /** The link is gone: nothing of what waits is sent. */
  clear(): void {
    this.#lines.clear();
  }

  #open(person: string): Line {
    const line: Line = { sent: 0, waiting: [] };
    this.#lines.set(person, line);
    this.#pause(person, line);
    return line;
  }

  #pause(person: string, line: Line): void {
    this.#clock.timeout(PAUSE_MS, () => {
      if (this.#lines.get(person) !== line) return;
      if (line.waiting.length === 0) return void this.#lines.delete(person);
      const due = line.waiting.splice(0, BURST);
      line.sent = due.length;
      for (const make of due) this.#post(make());
      this.#pause(person, line);
    });
  }
}
