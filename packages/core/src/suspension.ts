import { type Clock, fullJitter, type MagpieError, RECONNECT, Throttled } from '@magpie/contract';

/**
 * Whether a target takes deliveries at all. An outage suspends it: sends in flight land, a backoff passes or the link comes
 * back, then a single delivery probes; when that is answered the target is open again.
 */
export class Suspension {
  readonly #clock: Clock;
  readonly #resumable: () => void;
  #state: 'open' | 'suspended' | 'probing' = 'open';
  #due = false;
  #failures = 0;
  #cancel: (() => void) | undefined;

  /** `resumable` is called when a suspended target may be probed; the owner answers with `probe` once nothing flies. */
  constructor(clock: Clock, resumable: () => void) {
    this.#clock = clock;
    this.#resumable = resumable;
  }

  /** Whether another delivery may be sent while `flying` are in flight. */
  admits(flying: number): boolean {
    return this.#state === 'open' || (this.#state === 'probing' && flying === 0);
  }

  get suspended(): boolean {
    return this.#state !== 'open';
  }

  /** The target is out. Repeated calls for sends of the same outage change nothing but the waiting time asked for. */
  suspend(error: MagpieError): void {
    if (this.#state === 'suspended' && !(error instanceof Throttled)) return;
    this.#state = 'suspended';
    this.#due = false;
    const wait = error instanceof Throttled ? error.retryAfter : fullJitter(RECONNECT, this.#failures);
    this.#failures++;
    this.#cancel?.();
    this.#cancel = this.#clock.timeout(wait, () => this.retryNow());
  }

  /** The backoff has passed or the link is up again. */
  retryNow(): void {
    if (this.#state !== 'suspended') return;
    this.#due = true;
    this.#resumable();
  }

  /** Moves from suspended to probing when it is time; true when it just did. */
  probe(): boolean {
    if (this.#state !== 'suspended' || !this.#due) return false;
    this.#state = 'probing';
    return true;
  }

  /** The target has answered, whatever it said. */
  answered(): void {
    if (this.#state === 'suspended') return;
    this.#state = 'open';
    this.#failures = 0;
  }

  stop(): void {
    this.#cancel?.();
  }
}
