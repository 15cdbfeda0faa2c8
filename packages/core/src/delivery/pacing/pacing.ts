import type { ConnectionValue, Position } from '@magpie/bus';
import { type Clock, steadyTime, toMagpieError } from '@magpie/contract';
import type { RateLimit, Rendered, Summary } from '@magpie/routing';
import type { StateWriter, ValueSource } from '../../log-access/state-writer.ts';
import type { Delivery } from '../delivery.ts';
import type { TargetInForce } from '../target-in-force.ts';
import { type CountWindow, CountWindows } from './count-windows.ts';
import { type Decided, Decisions } from './decisions.ts';
import { type PacingValues, pacingValue } from './stored.ts';
import type { Summaries } from './summaries.ts';

export interface PacingDeps {
  readonly clock: Clock;
  readonly writer: Pick<StateWriter, 'keep'>;
  readonly summaries: Summaries;
  onFatal(error: Error): void;
}

/** Whether a delivery goes out now; `reason` is for people, `result` for counters. */
export type PacingVerdict =
  | { readonly type: 'pass' }
  | { readonly type: 'drop'; readonly result: Exclude<Decided, 'pass'>; readonly reason: string };

const PASS: PacingVerdict = { type: 'pass' };

/** Names of what is kept. */
const DECISIONS = 'decisions';
const WINDOW = 'window ';

/**
 * Decides which deliveries of one target go out, as the `pacing` of its route says. A delivery that is rendered and about to be sent is
 * judged once, also across restarts: what was decided is in the same transaction as the floor.
 */
export class TargetPacing implements ValueSource {
  readonly #inForce: TargetInForce;
  readonly #floor: () => Position | null;
  readonly #deps: PacingDeps;
  readonly #now: () => number;
  readonly #decisions = new Decisions();
  readonly #windows = new CountWindows();
  readonly #timers = new Map<CountWindow, () => void>();
  readonly #stopping = new AbortController();

  constructor(inForce: TargetInForce, floor: () => Position | null, deps: PacingDeps) {
    this.#inForce = inForce;
    this.#floor = floor;
    this.#deps = deps;
    this.#now = steadyTime(deps.clock);
  }

  /** Takes back what an earlier process has counted and decided. Called once, before anything is judged. */
  restore(values: PacingValues): void {
    for (const [name, value] of values) {
      if (name === DECISIONS) this.#decisions.restore(value);
      else if (name.startsWith(WINDOW)) this.#windows.restore(value);
    }
    for (const window of this.#windows.all()) this.#arm(window);
  }

  /** Whether a delivery goes out. Called per attempt. */
  judge(delivery: Delivery, { target: to }: Rendered): PacingVerdict {
    const { pacing } = this.#inForce.target;
    if (pacing === undefined && this.#decisions.size === 0) return PASS;
    const decided = this.#decisions.get(delivery);
    if (decided === 'pass' || delivery.attempts.length > 0) return PASS;
    const { rate } = pacing ?? {};
    const place = `${to.address.scheme}:${to.address.segments.join('/')}`;
    if (decided !== undefined) return { type: 'drop', result: decided, reason: reasonOf(place, rate) };
    if (rate === undefined) return PASS;
    const window = this.#windowOf(place, rate);
    const isLimited = window.sent >= rate.max;
    if (isLimited) this.#windows.count(window, valuesOf(delivery, rate.summary), to, delivery.event);
    else this.#windows.pass(window);
    this.#decisions.add(delivery, isLimited ? 'limited' : 'pass');
    this.#deps.writer.keep(this);
    return isLimited ? { type: 'drop', result: 'limited', reason: reasonOf(place, rate) } : PASS;
  }

  /** A delivery has ended, however. */
  ended(delivery: Delivery): void {
    if (this.#decisions.settle(delivery)) this.#deps.writer.keep(this);
  }

  /** Deliveries that were not sent and are not in a summary yet. */
  get counted(): number {
    return this.#windows.counted;
  }

  changes(matched: Position | undefined): readonly ConnectionValue[] {
    const { consumer } = this.#inForce.target;
    const decisions = this.#decisions.changesFor(this.#floor() ?? matched);
    const windows = [...this.#windows.changes()].map(([id, json]) => pacingValue(consumer, WINDOW + id, json));
    return decisions === undefined ? windows : [...windows, pacingValue(consumer, DECISIONS, decisions)];
  }

  /** Sends no summary any more: the next start does. */
  stop(): void {
    this.#stopping.abort();
    for (const cancel of this.#timers.values()) cancel();
    this.#timers.clear();
  }

  /** The window of a place that a message falls into, opened by the first one. */
  #windowOf(place: string, { per }: RateLimit): CountWindow {
    const now = this.#now();
    const known = this.#windows.at(place);
    if (known !== undefined && now < known.until) return known;
    if (known !== undefined) this.#close(known);
    const window = this.#windows.open(place, now, now + per);
    const { surplus } = this.#windows;
    if (surplus !== undefined) this.#close(surplus);
    this.#arm(window);
    return window;
  }

  /** Closes a window when it is over; a clock that was set while nobody ran makes it no longer than it is. */
  #arm(window: CountWindow): void {
    const left = Math.min(window.until - this.#now(), window.until - window.since);
    const cancel = this.#deps.clock.timeout(Math.max(0, left), () => this.#close(window));
    this.#timers.set(window, cancel);
  }

  #close(window: CountWindow): void {
    this.#timers.get(window)?.();
    this.#timers.delete(window);
    this.#windows.close(window);
    const work = window.count === 0 ? Promise.resolve(true) : this.#summarize(window);
    work
      .then((isDone) => {
        if (!isDone) return;
        this.#windows.forget(window);
        this.#deps.writer.keep(this);
      })
      .catch((error: unknown) => {
        if (!this.#stopping.signal.aborted) this.#deps.onFatal(toMagpieError(error));
      });
  }

  #summarize(window: CountWindow): Promise<boolean> {
    const { target } = this.#inForce;
    return this.#deps.summaries.put(target, window, target.pacing?.rate?.summary, this.#stopping.signal);
  }
}

const reasonOf = (place: string, rate: RateLimit | undefined): string =>
  rate === undefined
    ? `${place} has had as many messages as its rate allowed`
    : `${place} has had the ${rate.max} messages that its rate allows in ${rate.per} ms${rate.summary ? '; a summary counts this one' : ''}`;

/** What a summary names of an event; nothing where that cannot be told, for it is counted all the same. */
function valuesOf({ event }: Delivery, summary: Summary | undefined): Readonly<Record<string, string>> {
  try {
    return summary?.values(event) ?? {};
  } catch {
    return {};
  }
}
