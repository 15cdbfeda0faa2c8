import { type Clock, fullJitter, type MagpieError, RECONNECT, Throttled } from '@magpie/contract';
import type { SuspensionStatus } from '../../gateway-api/index.ts';
import type { Lane } from '../delivery.ts';
import type { WakeUp } from '../wake-up.ts';

/** Refusals in a row, over more than one lane, that count as an outage: the target is out, not these deliveries at fault. */
const REFUSALS_TO_SUSPEND = 5;

/** Most keys of refused lanes that are tracked; with more of them the target is out in any case. */
const MOST_KEYS = 1000;

/**
 * The circuit breaker of a target. An outage opens it: sends in flight land, a backoff passes or the link comes back, then
 * (half-open) a single delivery probes; an answer closes it again. Probes go round the lanes, and a lane that has not been
 * refused yet probes at once: when only some lanes are at fault, the others must not wait for them.
 */
export class CircuitBreaker {
  readonly #clock: Clock;
  readonly #wake: WakeUp;
  #state: 'closed' | 'open' | 'half-open' = 'closed';
  #due = false;
  #failures = 0;
  /** Refusals since the target has last taken a delivery, and the keys of their lanes. */
  #refusals = 0;
  readonly #refused = new Set<string>();
  /** Keys of lanes that were let probe at once, each only once until the target takes something. */
  readonly #immediateProbes = new Set<string>();
  /** Keys of lanes that have had their turn to probe. */
  readonly #tried = new Set<string>();
  /** Key of the lane whose turn it is before all others. */
  #next: string | undefined;
  #byRefusals = false;
  #status: SuspensionStatus | undefined;
  #cancel: (() => void) | undefined;

  /** `wake` is called when a suspended target may be probed; the sender then asks for `admission`. */
  constructor(clock: Clock, wake: WakeUp) {
    this.#clock = clock;
    this.#wake = wake;
  }

  /**
   * Whether another delivery may be sent while `flying` are in flight. `probe`: from suspended to half-open, just now, and the
   * next one is what `prober` chooses.
   */
  admission(flying: number): 'send' | 'probe' | 'wait' {
    if (this.#state === 'closed') return 'send';
    if (flying > 0) return 'wait';
    if (this.#state === 'half-open') return 'send';
    if (!this.#due) return 'wait';
    this.#state = 'half-open';
    return 'probe';
  }

  /** Since when and why the target is suspended; undefined while it is open. */
  get status(): SuspensionStatus | undefined {
    return this.#state === 'closed' ? undefined : this.#status;
  }

  /** The target is out. Repeated calls for sends of the same outage change nothing but the waiting time asked for. */
  suspend(error: MagpieError): void {
    if (this.#state === 'open' && !(error instanceof Throttled)) return;
    const now = this.#clock.now();
    const since = this.status?.since ?? now;
    this.#state = 'open';
    this.#byRefusals = !error.suspends;
    // The lane whose turn it is need not wait for the backoff of another lane.
    this.#due = this.#byRefusals && this.#next !== undefined;
    const wait = error instanceof Throttled ? error.retryAfter : fullJitter(RECONNECT, this.#failures);
    this.#status = { since, error: error.message, nextAttempt: now + wait };
    this.#failures++;
    this.#cancel?.();
    this.#cancel = this.#clock.timeout(wait, () => this.retryNow());
  }

  /** The backoff has passed or the link is up again. */
  retryNow(): void {
    if (this.#state !== 'open') return;
    this.#due = true;
    this.#wake.call();
  }

  /** A delivery arrived in a lane: where only refusals have suspended the target, a lane without refusals probes at once. */
  arrived(key: string): void {
    const isNews = this.#byRefusals && !this.#refused.has(key) && !this.#immediateProbes.has(key);
    if (this.#state === 'closed' || !isNews || this.#immediateProbes.size >= MOST_KEYS) return;
    this.#immediateProbes.add(key);
    this.#next = key;
    this.retryNow();
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
      this.#immediateProbes.clear();
    }
    this.answered();
  }

  /** The target has answered, whatever it said. */
  answered(): void {
    if (this.#state === 'open') return;
    this.#state = 'closed';
    this.#failures = 0;
    if (this.#tried.size > 0) this.#tried.clear();
  }

  stop(): void {
    this.#cancel?.();
  }
}
