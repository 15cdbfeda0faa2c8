import type { ConnectionValue, Position } from '@magpie/bus';
import { type Address, type MagpieError, steadyTime, toMagpieError } from '@magpie/contract';
import type { Pacing, Rendered } from '@magpie/routing';
import type { StateWriter, ValueSource } from '../../log-access/state-writer.ts';
import type { Delivery } from '../delivery.ts';
import type { TargetInForce } from '../target-in-force.ts';
import type { WakeUp } from '../wake-up.ts';
import { ChangeFilter, digest } from './change-filter.ts';
import type { CountWindow } from './count-windows.ts';
import { Counting, type CountingDeps } from './counting.ts';
import { type Decided, Decisions } from './decisions.ts';
import { QuietClock } from './quiet-clock.ts';
import { type PacingValues, pacingValue } from './stored.ts';

export interface PacingDeps extends CountingDeps {
  readonly writer: StateWriter;
}

/** Whether a delivery goes out now; `reason` is for people, `result` for counters. */
export type PacingVerdict =
  /** `durable`: what must be in the log before it is sent, so that a kill cannot have it counted as well. */
  | { readonly type: 'pass'; readonly durable?: Promise<void> }
  /** `isThere`: of what was sent before in its place, whether that has arrived. */
  | {
      readonly type: 'drop';
      readonly result: Exclude<Decided, 'pass'>;
      readonly reason: string;
      readonly isThere?: Promise<boolean>;
    }
  | { readonly type: 'hold'; readonly ms: number }
  | { readonly type: 'reject'; readonly error: MagpieError };

const PASS: PacingVerdict = { type: 'pass' };
const NONE: Pacing = {};

/** How long quiet hours are taken to last without another look: the clock may be set. */
const LOOK_MS = 60_000;

/** Names of what is kept besides windows. */
const DECISIONS = 'decisions';
const LAST = 'last ';

/**
 * Decides which deliveries of one target go out, as the `pacing` of its route says. A delivery that is rendered and about to be sent is
 * judged once, also across restarts: what was decided is in the same transaction as the floor.
 */
export class TargetPacing implements ValueSource {
  readonly #inForce: TargetInForce;
  readonly #floor: () => Position | null;
  readonly #wake: WakeUp;
  readonly #deps: PacingDeps;
  readonly #decisions = new Decisions();
  readonly #changes = new ChangeFilter();
  readonly #quiet = new QuietClock();
  readonly #counting: Counting;
  /** The wake-up at the end of quiet hours. */
  #alarm: { readonly at: number; readonly cancel: () => void } | undefined;

  constructor(inForce: TargetInForce, floor: () => Position | null, wake: WakeUp, deps: PacingDeps) {
    this.#inForce = inForce;
    this.#floor = floor;
    this.#wake = wake;
    this.#deps = deps;
    const owner = {
      now: steadyTime(deps.clock),
      silence: (window: CountWindow) => this.#silence(window),
      changed: () => this.#changed(),
    };
    this.#counting = new Counting(inForce, owner, deps);
  }

  /** Takes back what an earlier process has counted and decided. Called once, before anything is judged. */
  restore(values: PacingValues): void {
    for (const [name, value] of values) {
      if (name === DECISIONS) this.#decisions.restore(value);
      else if (name.startsWith(LAST)) this.#changes.restore(name.slice(LAST.length), value);
      else this.#counting.restore(name, value);
    }
    this.#counting.begin();
  }

  /** When quiet hours end, in ms since the epoch; undefined while there are none. */
  get quietUntil(): number | undefined {
    return this.#quiet.endOf(this.#rules.quiet, this.#deps.clock.now());
  }

  /** Deliveries that were not sent and are in no summary yet. */
  get counted(): number {
    return this.#counting.counted;
  }

  /** Whether nothing at all is sent now; wakes the queue when that ends. Called before each look at the lanes. */
  pauses(): boolean {
    const { quiet } = this.#rules;
    if (quiet?.then !== 'hold' || quiet.isExempt !== undefined) return false;
    const until = this.quietUntil;
    if (until === undefined) return false;
    if (this.#alarm?.at !== until) {
      this.#alarm?.cancel();
      const cancel = this.#deps.clock.timeout(Math.min(this.#left(until), LOOK_MS), () => {
        this.#alarm = undefined;
        this.#wake.call();
      });
      this.#alarm = { at: until, cancel };
    }
    return true;
  }

  /** Whether a delivery goes out. Called per attempt; never throws. */
  judge(delivery: Delivery, rendered: Rendered): PacingVerdict {
    if (this.#inForce.target.pacing === undefined && this.#decisions.size === 0 && this.#changes.isEmpty) return PASS;
    const verdict = this.#judged(delivery, rendered);
    delivery.isQuiet = verdict.type === 'hold';
    if (verdict.type !== 'drop') return verdict;
    this.#decisions.add(delivery, verdict.result);
    this.#changed();
    return verdict;
  }

  /** A delivery has ended, however. */
  ended(delivery: Delivery, hasArrived: boolean): void {
    this.#changes.ended(delivery.position, hasArrived);
    if (this.#decisions.settle(delivery)) this.#changed();
  }

  changes(matched: Position | undefined): readonly ConnectionValue[] {
    const { consumer } = this.#inForce.target;
    const decisions = this.#decisions.changesFor(this.#floor() ?? matched);
    return [
      ...this.#counting.changes(consumer),
      ...[...this.#changes.changes()].map(([name, value]) => pacingValue(consumer, LAST + name, value)),
      ...(decisions === undefined ? [] : [pacingValue(consumer, DECISIONS, decisions)]),
    ];
  }

  /** Sends no summary any more: the next start does. */
  stop(): void {
    this.#counting.stop();
    this.#alarm?.cancel();
    this.#alarm = undefined;
  }

  get #rules(): Pacing {
    return this.#inForce.target.pacing ?? NONE;
  }

  #judged(delivery: Delivery, rendered: Rendered): PacingVerdict {
    const decided = this.#decisions.get(delivery);
    const place = placeOf(rendered.target.address);
    if (decided !== undefined && decided !== 'pass') return this.#dropped(decided, place);
    const { rate, change, quiet } = this.#rules;
    try {
      const until = quiet?.isExempt?.(delivery.event) === true ? undefined : this.quietUntil;
      if (until !== undefined && quiet?.then === 'hold') return { type: 'hold', ms: this.#left(until) };
      if (change === undefined && !this.#changes.isEmpty) this.#changes.clear();
      const key = `${delivery.lane.key}\n${place}`;
      const value = change && comparedOf(delivery, change, rendered);
      // One that was refused before a restart has gone out as well.
      const hasGoneOut = decided === 'pass' || delivery.attempts.length > 0;
      if (!hasGoneOut) {
        if (value !== undefined && this.#changes.isSame(key, value))
          return { ...this.#dropped('unchanged', place), isThere: this.#changes.hasArrived(key) };
        if (until !== undefined) return this.#silenced(delivery, rendered, place, this.#left(until));
        if (rate !== undefined && !this.#admits(delivery, rendered, place)) return this.#dropped('limited', place);
      }
      if (decided === undefined) {
        this.#decisions.add(delivery, 'pass');
        this.#changed();
      }
      if (value !== undefined) this.#changes.pass(key, value, delivery.position);
      const isNew = rate !== undefined && decided === undefined;
      return isNew ? { type: 'pass', durable: this.#deps.writer.flush() } : PASS;
    } catch (error) {
      return { type: 'reject', error: toMagpieError(error) };
    }
  }

  /** Whether the rate of the target lets a message through; counts it either way. */
  #admits({ event }: Delivery, { target }: Rendered, place: string): boolean {
    const { rate } = this.#rules;
    if (rate === undefined) return true;
    const window = this.#counting.windowOf('rate', place, rate.per);
    const admits = window.sent < rate.max;
    if (admits) this.#counting.pass(window);
    else this.#counting.count(window, event, target);
    return admits;
  }

  #silenced({ event }: Delivery, { target }: Rendered, place: string, ms: number): PacingVerdict {
    this.#counting.count(this.#counting.windowOf('quiet', place, ms), event, target);
    return this.#dropped('quiet', place);
  }

  #left(until: number): number {
    return Math.max(1, until - this.#deps.clock.now());
  }

  /** A window of a rate that began before quiet hours says nothing in them. */
  #silence({ rule, since }: CountWindow): number {
    const until = this.quietUntil;
    if (rule !== 'rate' || until === undefined || this.#rules.quiet?.state(since).isQuiet === true) return 0;
    return this.#left(until);
  }

  #dropped(result: Exclude<Decided, 'pass'>, place: string): Extract<PacingVerdict, { type: 'drop' }> {
    return { type: 'drop', result, reason: reasonOf(result, place, this.#rules) };
  }

  #changed(): void {
    this.#deps.writer.keep(this);
  }
}

/** What a change filter compares of a message. */
function comparedOf(
  { event }: Delivery,
  { value }: NonNullable<Pacing['change']>,
  { parts, target }: Rendered,
): string {
  return value === undefined ? `${digest(parts.body)} ${JSON.stringify(target.options)}` : value(event);
}

/** The name of a place within a target. */
const placeOf = ({ scheme, segments }: Address): string => `${scheme}:${segments.join('/')}`;

function reasonOf(result: Exclude<Decided, 'pass'>, place: string, { rate, quiet }: Pacing): string {
  if (result === 'unchanged') return `it says what ${place} got last (onlyOnChange)`;
  const isCounted = (result === 'quiet' ? quiet : rate)?.summary !== undefined;
  const why =
    result === 'quiet'
      ? `${place} gets nothing in quiet hours`
      : `the rate of ${place} is used up${rate === undefined ? '' : ` (${rate.max} in ${rate.per} ms)`}`;
  return isCounted ? `${why}; a summary counts it` : why;
}
