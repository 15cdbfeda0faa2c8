import type { ExceptionRow, Position, StoredEvent } from '@magpie/bus';
import type { Match, Target } from '@magpie/routing';
import type { SendPort } from '../connections/send-port.ts';
import type { Decision, DeliverySelection, TargetLoad, TargetStatus } from '../gateway-api/index.ts';
import { Backlog } from './backlog/backlog.ts';
import { BacklogBound, type BacklogBoundDeps } from './backlog/bound.ts';
import type { BacklogDeps, RestoredState } from './backlog/deps.ts';
import { endIfExpired } from './backlog/expiry.ts';
import { BACKLOG_LIMITS, type BacklogLimits } from './backlog/limits.ts';
import { type Delivery, describe } from './delivery.ts';
import { Lanes } from './lanes.ts';
import { type PacingDeps, TargetPacing } from './pacing/pacing.ts';
import { Retries } from './retries.ts';
import { Sender, type SenderDeps } from './sender.ts';
import { Settlement, type SettlementDeps } from './settlement.ts';
import { CircuitBreaker } from './suspension/circuit-breaker.ts';
import { Places } from './suspension/places.ts';
import { Suspects } from './suspension/suspects.ts';
import type { TargetInForce } from './target-in-force.ts';
import { WakeUp } from './wake-up.ts';

/** What a delivery queue needs of the gateway around it. */
export interface QueueDeps extends BacklogDeps, BacklogBoundDeps, SettlementDeps, SenderDeps, PacingDeps {
  /** Bounds of what is kept in memory; default `BACKLOG_LIMITS`. */
  readonly limits?: BacklogLimits | undefined;
}

/**
 * Everything on its way to one target. The router offers, the backlog keeps in log order, the lanes say what may go next, the
 * sender sends and judges, retries and settlement end it. Each part knows only those before it; the one signal back is
 * `WakeUp`.
 */
export class DeliveryQueue {
  readonly consumer: string;
  readonly #inForce: TargetInForce;
  readonly #deps: QueueDeps;
  readonly #lanes: Lanes;
  readonly #backlog: Backlog;
  readonly #bound: BacklogBound;
  readonly #breaker: CircuitBreaker;
  readonly #retries: Retries;
  readonly #places: Places;
  readonly #settlement: Settlement;
  readonly #pacing: TargetPacing;
  readonly #sender: Sender;
  #stopped = false;
  #watchers: { readonly isDone: () => boolean; readonly resolve: () => void }[] = [];

  constructor(target: Target, port: SendPort, deps: QueueDeps) {
    const inForce = { target, port };
    const wake = new WakeUp();
    this.#inForce = inForce;
    this.#deps = deps;
    this.consumer = target.consumer;
    this.#lanes = new Lanes(target.order, deps.clock, wake);
    const limits = deps.limits ?? BACKLOG_LIMITS;
    this.#backlog = new Backlog(inForce, this.#lanes, limits, wake, deps);
    this.#bound = new BacklogBound(inForce, this.#backlog, deps);
    this.#breaker = new CircuitBreaker(deps.clock, wake);
    const pacing = new TargetPacing(inForce, () => this.#backlog.floor(), wake, deps);
    this.#pacing = pacing;
    const settlement = new Settlement(inForce, this.#backlog, this.#lanes, pacing, wake, deps);
    this.#settlement = settlement;
    this.#retries = new Retries(inForce, this.#lanes, settlement, deps);
    this.#places = new Places(inForce, this.#lanes, this.#backlog, settlement, limits, deps);
    const suspects = new Suspects(inForce, this.#lanes, settlement, this.#retries, deps);
    const [backlog, lanes, breaker, retries, places] = [
      this.#backlog,
      this.#lanes,
      this.#breaker,
      this.#retries,
      this.#places,
    ];
    const parts = { backlog, lanes, breaker, settlement, retries, places, pacing, suspects };
    this.#sender = new Sender(inForce, parts, wake, deps);
    wake.listen(() => this.#advance());
  }

  get target(): Target {
    return this.#inForce.target;
  }

  /** A reload changed the route or the link: from now on the new ones are used. What is in flight lands where it started. */
  update(target: Target, port: SendPort): void {
    Object.assign(this.#inForce, { target, port });
    this.#bound.update();
    this.#lanes.reorder(target.order);
    // The reload may have fixed what was refused.
    this.decide({}, 'retry');
    for (const delivery of this.#backlog.pending())
      if (delivery.isQuiet && delivery.state === 'failed') this.#lanes.retryIn(delivery, 0);
    this.#advance();
  }

  floor(): Position | null {
    return this.#backlog.floor();
  }

  /** Takes a delivery from the router; `before` is the position matched before this event. */
  offer(stored: StoredEvent, match: Match, before: Position | undefined): void {
    const backlog = this.#backlog;
    if (backlog.isTaken(stored.position)) return;
    if (stored.event.expiresAt !== undefined && this.#endIfExpired(stored)) return;
    const { onFull } = this.target.backlog;
    if (onFull !== 'block' && this.#bound.giveUp(stored, onFull)) return;
    const isLoaded = backlog.offer(stored, match, before);
    if (isLoaded) this.#breaker.arrived(match.key);
    this.#advance();
  }

  /** Ends an expired delivery. What cannot be skipped now is found to have expired when reading has reached it. */
  #endIfExpired(stored: StoredEvent): boolean {
    const backlog = this.#backlog;
    if (!backlog.maySkip || !endIfExpired(stored.event, this.target, this.#deps)) return false;
    backlog.skip(stored);
    return true;
  }

  /** A matched event is not for this target after all: an own message that came back. Called by the router instead of `offer`. */
  leaveOut(stored: StoredEvent): void {
    if (this.#backlog.maySkip && !this.#backlog.isTaken(stored.position)) this.#backlog.skip(stored);
  }

  /** Takes back deliveries from their exception rows, in log order, but for the `dead` ones. Called once, before `begin`. */
  restore(rows: readonly ExceptionRow[], dead: ReadonlySet<Position> = new Set()): void {
    // An attempt may have been under way since the row was written.
    const maybeSent = rows.map((row) => ({ ...row, redelivered: true }));
    this.#backlog.restore(maybeSent, dead);
  }

  /** Takes in one delivery from its exception row now: a dead letter is tried again. */
  revive(row: ExceptionRow): void {
    this.#backlog.revive(row);
    this.#advance();
  }

  /** The position matched before the first delivery that was offered before `begin`. */
  get first(): Position | undefined {
    return this.#backlog.first;
  }

  /** Leaves out a range of the log, both ends included. Called before `begin`. */
  skip(from: Position, to: Position): void {
    this.#backlog.leaveOut(from, to);
  }

  /**
   * Begins: behind the router at a floor from the log, or without one with what was offered since it was made. Called once;
   * until then nothing is sent.
   */
  begin(floor: Position | undefined, restored: RestoredState = {}): void {
    if (restored.pacing !== undefined) this.#pacing.restore(restored.pacing);
    this.#backlog.begin(floor, restored);
    this.#advance();
  }

  /** The link came up or went down. */
  linkChanged(): void {
    if (this.#inForce.port.up()) this.#breaker.retryNow();
    this.#advance();
  }

  load(): Omit<TargetLoad, 'consumer' | 'connection'> {
    const { size, parked, lagging } = this.#backlog;
    const { flying } = this.#sender;
    const suspension = this.#breaker.status;
    const { counted: limited, quietUntil } = this.#pacing;
    return {
      ...{ waiting: Math.max(0, size - flying), held: parked.size, flying, lagging },
      blocked: size + parked.size === 0 ? 0 : this.#blocked().length,
      suspended: suspension !== undefined,
      ...(suspension ? { suspension } : {}),
      ...(limited > 0 ? { limited } : {}),
      ...(quietUntil === undefined ? {} : { quietUntil }),
      places: this.#places.status(),
    };
  }

  /**
   * An operator decides about deliveries that are not in flight: those that have run out of attempts and hold their lanes, or
   * the one, the lane or the place that is named. Returns how many it is about.
   */
  decide(selection: DeliverySelection, decision: Decision): number {
    const { ref, lane, place } = selection;
    const isNamed = ref !== undefined || lane !== undefined || place !== undefined;
    const isMeant = (each: Delivery): boolean =>
      (ref === undefined || each.event.ref === ref) &&
      (lane === undefined || each.lane.key === lane) &&
      (place === undefined || each.lane.failed.some((first) => first.place === place));
    const chosen = isNamed ? this.#backlog.pending().filter(isWaiting).filter(isMeant) : this.#blocked();
    if (decision === 'retry' && place !== undefined) this.#places.release(place);
    for (const delivery of chosen) this.#retries.decide(delivery, decision);
    return chosen.length;
  }

  /** State of one delivery; undefined when it is not in memory. */
  status(position: Position): TargetStatus | undefined {
    const delivery = this.#backlog.pending().find((other) => other.position === position && other.state !== 'settled');
    return delivery && describe(delivery, this.target);
  }

  /** Resolves when nothing is in flight. */
  landed(): Promise<void> {
    return this.#sender.landed();
  }

  /** Resolves when there is nothing to wait for: everything is sent and confirmed, or it cannot be sent now. */
  flushed(): Promise<void> {
    const isDone = (): boolean => {
      const { waiting, flying, lagging, suspended, quietUntil } = this.load();
      const isOut = suspended || quietUntil !== undefined;
      return flying === 0 && (isOut || !this.#inForce.port.up() || (waiting === 0 && !lagging));
    };
    return isDone() ? Promise.resolve() : new Promise((resolve) => this.#watchers.push({ isDone, resolve }));
  }

  /** Sends nothing more; what is in flight may still be confirmed. */
  stop(): void {
    this.#stopped = true;
    this.#backlog.close();
    this.#bound.stop();
    this.#breaker.stop();
    this.#lanes.stop();
    this.#pacing.stop();
  }

  /**
   * Writes down what is still on its way or waits while something later has been confirmed, so that the next start repeats the
   * one and not the other. Called once, after `stop`, when nothing more is waited for.
   */
  putAside(): void {
    for (const delivery of this.#backlog.holdingFloor()) {
      delivery.redelivered ||= delivery.state === 'flight';
      this.#settlement.remember(delivery);
    }
  }

  /** Something has changed: sends what may be sent, then checks the bound, for deliveries may have expired unsent. */
  #advance(): void {
    if (!this.#stopped) {
      this.#sender.pump();
      this.#bound.watch();
    }
    if (this.#watchers.length > 0) this.#checkWatchers();
  }

  #checkWatchers(): void {
    const done = this.#watchers.filter(({ isDone }) => isDone());
    this.#watchers = this.#watchers.filter((each) => !done.includes(each));
    for (const { resolve } of done) resolve();
  }

  #blocked(): readonly Delivery[] {
    return this.#backlog.pending().filter(({ state }) => state === 'blocked');
  }
}

/** Whether a delivery waits for its turn, a retry or an operator. */
const isWaiting = ({ state }: Delivery): boolean => state === 'ready' || state === 'failed' || state === 'blocked';
