import type { Clock } from '@magpie/contract';

/** After this time on one link its limit counts as permanent, ms. */
const SETTLED_MS = 60_000;

/** Whether a message's size `fits`, is `refused`, or is `doubted`: refused by a single CONNACK only. */
export type SizeVerdict = 'fits' | 'doubted' | 'refused';

/**
 * The Maximum Packet Size of a broker over the links of one connection. A limit that a broker sends only once (while
 * starting, or by mistake) must not turn a backlog into dead letters: it counts when the previous CONNACK had it too,
 * or when the link has lasted.
 */
export class PacketLimit {
  readonly #clock: Clock;
  #before = Number.POSITIVE_INFINITY;
  #now = Number.POSITIVE_INFINITY;
  #since = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The limit of the broker's latest CONNACK, bytes; infinite without one. */
  get bytes(): number {
    return this.#now;
  }

  /** Records the limit of a CONNACK, in bytes; infinite without one. Called once per link. */
  named(bytes: number): void {
    this.#before = this.#now;
    this.#now = bytes;
    this.#since = this.#clock.monotonic();
  }

  /** Judges a packet of `bytes` bytes. Called per message while there is a limit. */
  judge(bytes: number): SizeVerdict {
    if (bytes <= this.#now) return 'fits';
    const isSettled = this.#clock.monotonic() - this.#since >= SETTLED_MS;
    return bytes > this.#before || isSettled ? 'refused' : 'doubted';
  }
}
