import type { ExceptionRow, Position, StoredEvent } from '@magpie/bus';
import { type MagpieError, type SendReceipt, toMagpieError } from '@magpie/contract';
import type { Match, Rendered, Target } from '@magpie/routing';
import type { SendPort } from '../connections/send-port.ts';
import type { TargetLoad, TargetStatus } from '../gateway-api.ts';
import type { FloorSource } from '../log/state-writer.ts';
import { type Ending, prepare } from './attempt.ts';
import { Backlog } from './backlog.ts';
import { BacklogBound } from './backlog-bound.ts';
import { BACKLOG_LIMITS } from './backlog-limits.ts';
import type { RestoredState } from './backlog-owner.ts';
import { CircuitBreaker } from './circuit-breaker.ts';
import type { Delivery } from './delivery.ts';
import { describe } from './delivery-status.ts';
import { Lanes } from './lanes.ts';
import type { QueueDeps } from './queue-deps.ts';
import { Retries } from './retries.ts';
import { outgoing, Settlement } from './settlement.ts';

/** A target that lags notes how much waits for it each time that has grown by this share of its bound. */
const NOTED_SHARE = 1 / 32;

/** Everything on its way to one target: bounded backlog, lanes, retries, floor. Driven by the router and the link. */
export class DeliveryQueue implements FloorSource {
  readonly consumer: string;
  #target: Target;
  #port: SendPort;
  readonly #deps: QueueDeps;
  readonly #lanes: Lanes;
  readonly #breaker: CircuitBreaker;
  readonly #backlog: Backlog;
  readonly #settlement: Settlement;
  readonly #bound: BacklogBound;
  readonly #retries: Retries;
  #flying = 0;
  #stopped = false;
  /** Bytes that waited when that was written last. */
  #noted = 0;

  constructor(target: Target, deps: QueueDeps) {
    this.#target = target;
    this.#port = deps.port;
    this.consumer = target.consumer;
    this.#deps = deps;
    this.#lanes = new Lanes(target.order);
    this.#bound = new BacklogBound(target.consumer, deps);
    this.#breaker = new CircuitBreaker(deps.clock, () => this.pump());
    this.#backlog = new Backlog(deps.reader, deps.routed, {
      limits: deps.limits ?? BACKLOG_LIMITS,
      laneFor: (key) => this.#lanes.laneFor(key),
      accepted: (delivery) => this.#accepted(delivery),
      restored: (delivery, row) => this.#retries.restored(delivery, row),
      match: (stored) => deps.match(stored, this.consumer),
      expired: (event) => this.#settlement.expired(event),
      refilled: () => this.pump(),
      moved: () => {
        deps.writer.touch(this);
        if (!this.#stopped) this.#bound.watch(this.#target, this.#backlog);
      },
      failed: deps.onFatal,
    });
    this.#settlement = new Settlement(target, deps, this.#backlog, this.#lanes);
    this.#retries = new Retries(this, deps, this.#lanes, this.#settlement);
  }

  get target(): Target {
    return this.#target;
  }

  /** A reload changed the route or the link: from now on the new ones are used. What is in flight lands where it started. */
  update(target: Target, port: SendPort): void {
    this.#bound.update(target, this.#backlog, port);
    this.#target = target;
    this.#port = port;
    this.#settlement.update(target);
    this.#lanes.reorder(target.order);
    // Whoever reloads has perhaps put right what was refused.
    this.unblock('retry');
    this.pump();
  }

  floor(): Position | null {
    return this.#backlog.floor();
  }

  waiting(): number {
    this.#noted = this.#backlog.waiting;
    return this.#noted;
  }

  /** Takes a delivery from the router; `before` is the position matched before this event. */
  offer(stored: StoredEvent, match: Match, before: Position | undefined): void {
    if (this.#backlog.isTaken(stored.position)) return;
    // What cannot be skipped now is found to have expired when reading has reached it.
    if (this.#backlog.maySkip && this.#settlement.expired(stored.event)) return void this.#backlog.skip(stored);
    if (this.#bound.giveUp(this.#target, this.#backlog, stored)) return;
    this.#backlog.offer(stored, match, before);
    this.#bound.watch(this.#target, this.#backlog);
    if (!this.#backlog.lagging) this.#breaker.arrived(match.key);
    else if (this.#backlog.waiting - this.#noted > this.#target.backlog.bytes * NOTED_SHARE)
      this.#deps.writer.touch(this);
    this.pump();
  }

  /** A matched event is not for this target after all: an own message that came back. Called by the router instead of `offer`. */
  leaveOut(stored: StoredEvent): void {
    if (this.#backlog.maySkip && !this.#backlog.isTaken(stored.position)) this.#backlog.skip(stored);
  }

  /** Takes back deliveries with a story, in log order, but for the `dead` ones. Called once, before `begin`. */
  restore(rows: readonly ExceptionRow[], dead: ReadonlySet<Position> = new Set()): void {
    // An attempt may have been under way since the row was written.
    this.#backlog.restore(
      rows.map((row) => ({ ...row, redelivered: true })),
      dead,
    );
  }

  /** Takes in one delivery from its exception row now: a dead letter is tried again. */
  revive(row: ExceptionRow): void {
    this.#backlog.revive(row);
    this.pump();
  }

  /** The position matched before the first delivery that was offered before `begin`. */
  get first(): Position | undefined {
    return this.#backlog.first;
  }

  /** Leaves out a stretch of the log, both ends included. Called before `begin`. */
  skip(from: Position, to: Position): void {
    this.#backlog.leaveOut(from, to);
  }

  /**
   * Begins: behind the router at a floor from the log, or without one with what was offered since it was made. Called once;
   * until then nothing is sent.
   */
  begin(floor: Position | undefined, former: RestoredState = {}): void {
    this.#backlog.begin(floor, former);
    this.pump();
  }

  /** The link came up. */
  linkUp(): void {
    this.#breaker.retryNow();
    this.pump();
  }

  /** Sends what may be sent. */
  pump(): void {
    const port = this.#port;
    if (this.#stopped || !port.up()) return;
    if (this.#flying === 0 && this.#breaker.probe()) {
      this.#lanes.requeue(this.#backlog.pending(), (ready) => this.#breaker.prober(ready));
    }
    while (this.#breaker.admits(this.#flying)) {
      const delivery = this.#lanes.next(this.#held);
      if (!delivery || !port.window.acquire(this.#wake)) return;
      this.#dispatch(delivery, port);
    }
  }

  load(): Omit<TargetLoad, 'consumer' | 'connection'> {
    const { size, parked, lagging } = this.#backlog;
    const flying = this.#flying;
    const suspension = this.#breaker.status;
    return {
      ...{ waiting: Math.max(0, size - flying), held: parked, flying, lagging },
      blocked: size + parked === 0 ? 0 : this.#blocked().length,
      suspended: suspension !== undefined,
      ...(suspension ? { suspension } : {}),
    };
  }

  /**
   * An operator decides about deliveries that have run out of attempts and hold their lanes: they are tried again, their
   * attempts counted anew, or become dead letters. Returns how many there are.
   */
  unblock(decision: 'retry' | 'dead-letter'): number {
    const blocked = this.#blocked();
    this.#retries.unblock(blocked, decision);
    return blocked.length;
  }

  /** State of one delivery; undefined when it is not in memory. */
  status(position: Position): TargetStatus | undefined {
    const delivery = this.#backlog.pending().find((other) => other.position === position && other.state !== 'settled');
    return delivery && describe(delivery, this.#target);
  }

  /** Sends nothing more; what is in flight may still be confirmed. */
  stop(): void {
    this.#stopped = true;
    this.#backlog.close();
    this.#bound.stop();
    this.#breaker.stop();
    this.#lanes.stop();
  }

  #blocked(): readonly Delivery[] {
    return this.#backlog.pending().filter(({ state }) => state === 'blocked');
  }

  readonly #wake = (): void => this.pump();

  readonly #held = (delivery: Delivery): void => {
    if (!delivery.remembered) this.#settlement.remember(delivery);
  };

  #accepted(delivery: Delivery): void {
    this.#lanes.add(delivery);
    this.#deps.writer.touch(this);
  }

  #dispatch(delivery: Delivery, port: SendPort): void {
    const { signal, clock, onFatal } = this.#deps;
    const rendered = prepare(delivery, this.#target, this.#deps);
    const isEnded = 'reason' in rendered;
    this.#lanes.launch(delivery, !isEnded);
    if (isEnded) {
      port.window.release();
      this.#end(delivery, rendered);
      return;
    }
    this.#flying++;
    this.#deps.onSend(delivery.event, this.#target.connection, rendered.target, rendered.parts.body);
    const started = clock.monotonic();
    port.send(outgoing(delivery, rendered, this.consumer), rendered.target, signal).then(
      (receipt) => {
        try {
          port.sent();
          this.#land(delivery);
          this.#confirmed(delivery, receipt, clock.monotonic() - started);
          this.#makeRoom(port);
        } catch (error) {
          onFatal(toMagpieError(error));
        }
      },
      (error: unknown) => {
        this.#land(delivery);
        this.#refused(delivery, rendered, toMagpieError(error)).catch(onFatal);
        this.#makeRoom(port);
      },
    );
  }

  /** A delivery ends without being sent. */
  #end(delivery: Delivery, ending: Ending): void {
    if (ending.reason === 'expired') this.#settlement.end(delivery, { state: 'expired' });
    else if (this.#target.retry.then === 'block' && !delivery.error) this.#retries.block(delivery, ending.error);
    else void this.giveUp(delivery, ending.reason, ending.error);
  }

  #land(delivery: Delivery): void {
    this.#flying--;
    this.#lanes.landed(delivery);
  }

  /** Gives the place in the window back: only after the outcome has been judged, for it lets others (and us) send. */
  #makeRoom({ window }: SendPort): void {
    window.release();
    this.pump();
  }

  #confirmed(delivery: Delivery, { confirmedBy }: SendReceipt, ms: number): void {
    this.#breaker.confirmed();
    this.#settlement.end(delivery, { state: 'confirmed', confirmedBy }, ms);
  }

  async #refused(delivery: Delivery, rendered: Rendered, error: MagpieError): Promise<void> {
    delivery.redelivered ||= error.name === 'Unknown' || error.name === 'Aborted';
    if (error.suspends || (error.retryable && this.#breaker.isOutage(delivery.lane))) {
      delivery.state = 'ready';
      this.#breaker.suspend(error);
      this.#deps.onSuspended(this.#target, error);
    } else {
      this.#breaker.answered();
      await this.#retries.judge(delivery, rendered, error);
    }
    this.#lanes.retry(delivery.lane);
    this.pump();
  }

  /** Ends a delivery without success, then sends what may be sent. Called by its retries. */
  async giveUp(...ending: Parameters<Settlement['giveUp']>): Promise<void> {
    await this.#settlement.giveUp(...ending);
    this.pump();
  }
}
