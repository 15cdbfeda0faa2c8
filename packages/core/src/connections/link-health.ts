import type { Clock } from '@magpie/contract';

/** A link that ends within so many ms of a lost send has taken that send with it. */
const TOGETHER_MS = 250;

/**
 * Whether a link ends by itself or because of what is sent on it: how long it has been up, and how often it has ended with
 * nothing on its way.
 */
export class LinkHealth {
  readonly #clock: Clock;
  #upSince: number | undefined;
  #lastLostSend = Number.NEGATIVE_INFINITY;
  #idleLosses = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The link came up or went down. */
  changed(isUp: boolean): void {
    const now = this.#clock.monotonic();
    this.#upSince = isUp ? now : undefined;
    if (isUp) return;
    // Sends that the link has taken with it are reported about now, some of them after this.
    this.#clock.timeout(TOGETHER_MS, () => {
      if (Math.abs(this.#lastLostSend - now) > TOGETHER_MS) this.#idleLosses++;
    });
  }

  /** A send ended without an answer. */
  sendLost(): void {
    this.#lastLostSend = this.#clock.monotonic();
  }

  /** How long the link has been up, in ms; 0 while it is down. */
  upFor(): number {
    return this.#upSince === undefined ? 0 : this.#clock.monotonic() - this.#upSince;
  }

  /** How often the link has ended with nothing on its way. Grows. */
  get idleLosses(): number {
    return this.#idleLosses;
  }
}
