import type { Clock } from '@magpie/contract';

/** After so long on one link its limit counts as the broker's rule, ms. */
const SETTLED_MS = 60_000;

/** What a message's size means to the broker: it `fits`, is `refused`, or is refused by a CONNACK that stands alone. */
export type SizeVerdict = 'fits' | 'doubted' | 'refused';

/**
 * The Maximum Packet Size of a broker over the links of one connection. A limit that a broker names once (while it starts, or
 * by mistake) must not make dead letters of a backlog: it is believed when the CONNACK before said the same, or when the link
 * has lasted.
 */
export class PacketLimit {
  readonly #clock: Clock;
  #before = Number.POSITIVE_INFINITY;
  #now = Number.POSITIVE_INFINITY;
  #since = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The limit that the broker's latest CONNACK has named, bytes; infinite when it named none. */
  get bytes(): number {
    return this.#now;
  }

  /** A CONNACK has named a limit, in bytes; infinite when it has named none. Called once per link. */
  named(bytes: number): void {
    this.#before = this.#now;
    this.#now = bytes;
    this.#since = this.#clock.monotonic();
  }

  /** Judges a packet of so many bytes. Called per message while there is a limit. */
  judge(bytes: number): SizeVerdict {
    if (bytes <= this.#now) return 'fits';
    const isSettled = this.#clock.monotonic() - this.#since >= SETTLED_MS;
    return bytes > this.#before || isSettled ? 'refused' : 'doubted';
  }
}
