import { type Clock, fullJitter, type MagpieError, RECONNECT, Throttled } from '@magpie/contract';
import type { SuspensionStatus } from '../gateway-api.ts';
import type { Lane } from './delivery.ts';

/** Refusals in a row, over more than one lane, that count as an outage: the target is out, not these deliveries at fault. */
const REFUSALS_TO_SUSPEND = 5;

/** Keys of refused lanes that are told apart; with more of them the target is out in any case. */
const MOST_KEYS = 1000;

/**
 * Whether a target takes deliveries at all. An outage suspends it: sends in flight land, a backoff passes or the link comes
 * back, then a single delivery probes; when that is answered the target is open again. Probes go round the lanes, and a lane
 * that has not been refused yet probes at once: when only some lanes are at fault, the others must not wait for them.
 */
export class CircuitBreaker {
  readonly #clock: Clock;
  readonly #resumable: () => void;
  #state: 'open' | 'suspended' | 'probing' = 'open';
  #due = false;
  #failures = 0;
  /** Refusals since the target has last taken a delivery, and the keys of their lanes. */
  #refusals = 0;
  readonly #refused = new Set<string>();
  /** Keys of lanes that have asked to probe at once, each only once until the target takes something. */
  readonly #hurried = new Set<string>();
  /** Keys of lanes that have had their turn to probe. */
  readonly #tried = new Set<string>();
  /** Key of the lane whose turn it is before all others. */
  #next: string | undefined;
  #byRefusals = false;
  #status: SuspensionStatus | undefined;
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

  /** Since when and why the target is suspended; undefined while it is open. */
  get status(): SuspensionStatus | undefined {
    return this.#state === 'open' ? undefined : this.#status;
  }

  /** The target is out. Repeated calls for sends of the same outage change nothing but the waiting time asked for. */
  suspend(error: MagpieError): void {
    if (this.#state === 'suspended' && !(error instanceof Throttled)) return;
    const now = this.#clock.now();
    const since = this.status?.since ?? now;
    this.#state = 'suspended';
    this.#byRefusals = !error.suspends;
    // Whose turn is next need not wait for what another lane was told.
    this.#due = this.#byRefusals && this.#next !== undefined;
    const wait = error instanceof Throttled ? error.retryAfter : fullJitter(RECONNECT, this.#failures);
    this.#status = { since, error: error.message, nextAttempt: now + wait };
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

  /** A delivery has come up in a lane: where only refusals have suspended the target, a lane without any probes at once. */
  arrived(key: string): void {
    const isNews = this.#byRefusals && !this.#refused.has(key) && !this.#hurried.has(key);
    if (this.#state === 'open' || !isNews || this.#hurried.size >= MOST_KEYS) return;
    this.#hurried.add(key);
    this.#next = key;
    this.retryNow();
  }

  /** Moves from suspended to probing when it is time; true when it just did. */
  probe(): boolean {
    if (this.#state !== 'suspended' || !this.#due) return false;
    this.#state = 'probing';
    return true;
  }

  /** The first of these that is of a lane whose turn it is to probe. */
  prober<D extends { readonly lane: Lane }>(candidates: readonly D[]): D | undefined {
    const next = this.#next;
    const isNext = ({ lane }: D): boolean => (next === undefined ? !this.#tried.has(lane.key) : lane.key === next);
    this.#next = undefined;
    if (!candidates.some(isNext)) this.#tried.clear();
    const chosen = candidates.find(isNext);
    if (chosen) this.#tried.add(chosen.lane.key);
    return chosen;
  }

  /** The target has refused a delivery of a lane for now: whether that makes an outage, with the refusals before it. */
  isOutage({ key }: Pick<Lane, 'key'>): boolean {
    this.#refusals++;
    if (this.#refused.size < MOST_KEYS) this.#refused.add(key);
    return this.#refusals >= REFUSALS_TO_SUSPEND && this.#refused.size > 1;
  }

  /** The target has taken a delivery. */
  confirmed(): void {
    if (this.#refusals > 0) {
      this.#refusals = 0;
      this.#refused.clear();
      this.#hurried.clear();
    }
    this.answered();
  }

  /** The target has answered, whatever it said. */
  answered(): void {
    if (this.#state === 'suspended') return;
    this.#state = 'open';
    this.#failures = 0;
    if (this.#tried.size > 0) this.#tried.clear();
  }

  stop(): void {
    this.#cancel?.();
  }
}
