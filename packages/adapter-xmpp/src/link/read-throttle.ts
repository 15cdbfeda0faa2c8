import type { Clock } from '@magpie/contract';

/** How long intake may stand still before the link reads on without it, ms. */
const STANDSTILL_MS = 2000;

/** What a throttle works on. */
export interface ThrottleOptions {
  readonly clock: Clock;
  /** How much of what may wait for the gateway is waiting: at 1 reading stops, at 0 nothing waits. */
  load(): number;
  pause(): void;
  resume(): void;
  /** Whether the server keeps what we do not finish, and sends it again on a resumed session. */
  keepsUnfinished(): boolean;
  /** Intake is open again: what was left at the server has to be fetched. */
  takeUp(): void;
}

/**
 * Stops reading while too much waits for the gateway, and goes on when half of it is settled. That is far beyond what the gateway
 * is given at a time, but the confirmations of our own sends come on the same stream: when intake stands still, reading goes on,
 * and what comes in for the gateway is left at the server. One per link.
 */
export class ReadThrottle {
  readonly #options: ThrottleOptions;
  #paused = false;
  #leaving = false;
  #hasLeft = false;
  #standstill = (): void => undefined;

  constructor(options: ThrottleOptions) {
    this.#options = options;
  }

  /** Reading is stopped. */
  get paused(): boolean {
    return this.#paused;
  }

  /** Messages are left at the server: to be called for each. Undefined while they are taken in. */
  get leave(): (() => void) | undefined {
    return this.#leaving ? this.#left : undefined;
  }

  /** Something was read or settled. Called per read and per settled stanza. */
  update(): void {
    const load = this.#options.load();
    if (this.#leaving) {
      if (load === 0) this.#takeUp();
    } else if (!this.#paused && load >= 1) {
      this.#paused = true;
      this.#options.pause();
      this.#await();
    } else if (this.#paused && load <= 0.5) this.#readOn();
    else if (this.#paused) this.#await();
  }

  /** The link is over. */
  end(): void {
    this.#standstill();
  }

  readonly #left = (): void => {
    this.#hasLeft = true;
  };

  #await(): void {
    this.#standstill();
    this.#standstill = this.#options.clock.timeout(STANDSTILL_MS, () => {
      if (!this.#options.keepsUnfinished()) return;
      this.#leaving = true;
      this.#readOn();
    });
  }

  #readOn(): void {
    this.#standstill();
    this.#paused = false;
    this.#options.resume();
  }

  #takeUp(): void {
    if (this.#hasLeft) this.#options.takeUp();
    else this.#leaving = false;
  }
}
