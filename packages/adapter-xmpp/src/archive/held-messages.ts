import type { ReceivedEvent } from '@magpie/contract';
import type { Incoming } from '../link/link.ts';

/** A message that came while the archive is being read. */
export interface Held {
  readonly incoming: Incoming;
  readonly event: ReceivedEvent;
}

/** Most messages and bytes of bodies that wait for one archive. */
const MOST = 1_000;
const MOST_BYTES = 4 * 1024 * 1024;

/** Live messages that wait until everything before them has been read in the archive. One per archive. */
export class HeldMessages {
  #held: Held[] = [];
  #bytes = 0;

  /** Takes one; false when there is no room for it. */
  take(held: Held): boolean {
    const bytes = held.event.body.byteLength;
    if (this.#held.length >= MOST || this.#bytes + bytes > MOST_BYTES) return false;
    this.#held.push(held);
    this.#bytes += bytes;
    return true;
  }

  /** Everything that waits, oldest first; nothing does afterwards. */
  release(): readonly Held[] {
    const held = this.#held;
    this.#held = [];
    this.#bytes = 0;
    return held;
  }

  /** Takes one out of its place, because the archive has brought it. */
  claim(matches: (held: Held) => boolean): Held | undefined {
    const index = this.#held.findIndex(matches);
    const [claimed] = index === -1 ? [] : this.#held.splice(index, 1);
    if (claimed) this.#bytes -= claimed.event.body.byteLength;
    return claimed;
  }

  has(matches: (held: Held) => boolean): boolean {
    return this.#held.some(matches);
  }
}
