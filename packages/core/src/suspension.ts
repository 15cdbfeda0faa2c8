import { type Clock, fullJitter, type MagpieError, RECONNECT, Throttled } from '@magpie/contract';
import type { Lane } from './delivery.ts';

/** Refusals in a row, over more than one lane, that count as an outage: the target is out, not these deliveries at fault. */
const REFUSALS_TO_SUSPEND = 5;

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
  #refusals: Lane[] = [];
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

  /** The target has refused a delivery of a lane for now: whether that makes an outage, with the refusals before it. */
  isOutage(lane: Lane): boolean {
    this.#refusals.push(lane);
    return this.#refusals.length >= REFUSALS_TO_SUSPEND && new Set(this.#refusals).size > 1;
  }

  /** The target has taken a delivery. */
  confirmed(): void {
    this.#refusals = [];
    this.answered();
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
