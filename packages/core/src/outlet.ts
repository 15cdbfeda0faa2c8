import type { ExceptionRow, Position, StoredEvent } from '@magpie/bus';
import { fullJitter, type MagpieError, Rejected, type SendReceipt, toMagpieError } from '@magpie/contract';
import type { Match, Rendered, Target } from '@magpie/routing';
import { Backlog } from './backlog.ts';
import { BACKLOG_LIMITS } from './backlog-limits.ts';
import type { Delivery } from './delivery.ts';
import { describe } from './delivery-status.ts';
import type { FloorSource } from './ledger.ts';
import type { OutletDeps } from './outlet-deps.ts';
import { Overflow } from './overflow.ts';
import { Scheduler } from './scheduler.ts';
import type { SendPort } from './send-port.ts';
import { outgoing, Settlement } from './settlement.ts';
import { Suspension } from './suspension.ts';
import type { TargetLoad, TargetStatus } from './types.ts';

/** Everything on its way to one target: bounded backlog, lanes, retries, floor. Driven by the router and the link. */
export class Outlet implements FloorSource {
  readonly consumer: string;
  #target: Target;
  #port: SendPort;
  readonly #deps: OutletDeps;
  readonly #scheduler: Scheduler;
  readonly #suspension: Suspension;
  readonly #backlog: Backlog;
  readonly #settlement: Settlement;
  readonly #overflow: Overflow;
  #flying = 0;
  #stopped = false;

  constructor(target: Target, deps: OutletDeps) {
    this.#target = target;
    this.#port = deps.port;
    this.consumer = target.consumer;
    this.#deps = deps;
    this.#scheduler = new Scheduler(target.order);
    this.#overflow = new Overflow(deps);
    this.#suspension = new Suspension(deps.clock, () => this.pump());
    this.#backlog = new Backlog(deps.reader, deps.routed, {
      limits: deps.limits ?? BACKLOG_LIMITS,
      laneFor: (key) => this.#scheduler.laneFor(key),
      accepted: (delivery) => this.#accepted(delivery),
      restored: (delivery, row) => this.#restored(delivery, row),
      match: ({ event }) => deps.match(event, this.consumer),
      refilled: () => this.pump(),
      moved: () => {
        deps.ledger.touch(this);
        if (!this.#stopped) this.#overflow.watch(this.#target, this.#backlog);
      },
      failed: deps.onFatal,
    });
    this.#settlement = new Settlement(target, deps, this.#backlog, this.#scheduler);
  }

  get target(): Target {
    return this.#target;
  }

  /** A reload changed the route or the link: from now on the new ones are used. What is in flight lands where it started. */
  update(target: Target, port: SendPort): void {
    this.#overflow.update(this.#target, target, this.#backlog);
    this.#target = target;
    this.#port = port;
    this.#settlement.update(target);
    this.#scheduler.reorder(target.order);
    this.pump();
  }

  floor(): Position | null {
    return this.#backlog.floor();
  }

  /** Takes a delivery from the router; `before` is the position matched before this event. */
  offer(stored: StoredEvent, match: Match, before: Position | undefined): void {
    if (this.#backlog.isTaken(stored.position) || this.#overflow.giveUp(this.#target, this.#backlog, stored)) return;
    this.#backlog.offer(stored, match, before);
    this.#overflow.watch(this.#target, this.#backlog);
    this.pump();
  }

  /** Takes back deliveries with a story, in log order, but for the `dead` ones. Called once, before `begin`. */
  restore(rows: readonly ExceptionRow[], dead: ReadonlySet<Position> = new Set()): void {
    this.#backlog.restore(rows, dead);
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
   * Begins: behind the router at a floor from the log, or without one with what was offered since it was made. What lies
   * at or before `doubtful` may have been sent by a former process. Called once; until then nothing is sent.
   */
  begin(floor: Position | undefined, doubtful?: Position): void {
    this.#backlog.begin(floor, doubtful);
  }

  /** The link came up. */
  linkUp(): void {
    this.#suspension.retryNow();
    this.pump();
  }

  /** Sends what may be sent. */
  pump(): void {
    const port = this.#port;
    if (this.#stopped || !port.up()) return;
    if (this.#flying === 0 && this.#suspension.probe()) this.#scheduler.requeue(this.#backlog.pending());
    while (this.#suspension.admits(this.#flying)) {
      const delivery = this.#scheduler.next(this.#held);
      if (!delivery || !port.window.acquire(this.#wake)) return;
      this.#dispatch(delivery, port);
    }
  }

  load(): Omit<TargetLoad, 'consumer' | 'connection'> {
    const { size, parked, lagging } = this.#backlog;
    const flying = this.#flying;
    return {
      waiting: Math.max(0, size - flying),
      held: parked,
      flying,
      lagging,
      suspended: this.#suspension.suspended,
    };
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
    this.#overflow.stop(this.#target);
    this.#suspension.stop();
    this.#scheduler.stop();
  }

  readonly #wake = (): void => this.pump();

  readonly #held = (delivery: Delivery): void => {
    if (!delivery.remembered) this.#settlement.remember(delivery);
  };

  #accepted(delivery: Delivery): void {
    this.#scheduler.add(delivery);
    this.#deps.ledger.touch(this);
  }

  #restored(delivery: Delivery, { state, nextAttempt }: ExceptionRow): void {
    if (state === 'held') this.#scheduler.add(delivery);
    else this.#scheduler.restore(delivery, state === 'retry' ? 'failed' : 'blocked');
    if (state === 'retry') this.#retryIn(delivery, this.#remaining(nextAttempt));
  }

  #dispatch(delivery: Delivery, port: SendPort): void {
    const { signal, clock, onFatal } = this.#deps;
    const rendered = this.#prepare(delivery);
    const ended = typeof rendered === 'function';
    this.#scheduler.launch(delivery, !ended);
    if (ended) {
      port.window.release();
      rendered();
      return;
    }
    this.#flying++;
    this.#deps.onSend(delivery.event, this.#target.connection, rendered.target, rendered.parts.body);
    const started = clock.monotonic();
    port
      .send(outgoing(delivery, rendered, this.consumer), rendered.target, signal)
      .then(
        (receipt) => {
          this.#land(delivery);
          this.#confirmed(delivery, receipt, clock.monotonic() - started);
          this.#makeRoom(port);
        },
        (error: unknown) => {
          this.#land(delivery);
          const ended = this.#refused(delivery, rendered, toMagpieError(error));
          this.#makeRoom(port);
          return ended;
        },
      )
      .catch(onFatal);
  }

  /** What to send, or how the delivery ends without being sent. */
  #prepare(delivery: Delivery): Rendered | (() => void) {
    const { event, error } = delivery;
    const now = this.#deps.clock.now();
    if (event.expiresAt !== undefined && event.expiresAt <= now) {
      return () => this.#settlement.end(delivery, { state: 'expired' });
    }
    const { maxAge } = this.#target.retry;
    if (this.#deps.ages.of(event.receivedAt) > maxAge) {
      const tooOld = new Rejected(`still not delivered after maxAge (${maxAge} ms)`);
      return () => void this.#giveUp(delivery, 'age', tooOld);
    }
    try {
      if (error) throw error;
      return this.#target.render(event);
    } catch (problem) {
      return () => void this.#giveUp(delivery, 'rejected', toMagpieError(problem));
    }
  }

  #land(delivery: Delivery): void {
    this.#flying--;
    this.#scheduler.landed(delivery);
  }

  /** Gives the place in the window back: only after the outcome has been judged, for it lets others (and us) send. */
  #makeRoom({ window }: SendPort): void {
    window.release();
    this.pump();
  }

  #confirmed(delivery: Delivery, { confirmedBy }: SendReceipt, ms: number): void {
    this.#suspension.confirmed();
    this.#settlement.end(delivery, { state: 'confirmed', confirmedBy }, ms);
  }

  async #refused(delivery: Delivery, rendered: Rendered, error: MagpieError): Promise<void> {
    delivery.redelivered ||= error.name === 'Unknown' || error.name === 'Aborted';
    if (error.suspends || (error.retryable && this.#suspension.isOutage(delivery.lane))) {
      delivery.state = 'ready';
      this.#suspension.suspend(error);
      this.#deps.onSuspended(this.#target, error);
    } else {
      this.#suspension.answered();
      await this.#judge(delivery, rendered, error);
    }
    this.#scheduler.retry(delivery.lane);
    this.pump();
  }

  /** The target refused this delivery: try again later, or give up. */
  #judge(delivery: Delivery, rendered: Rendered, error: MagpieError): Promise<void> {
    const { retry } = this.#target;
    delivery.attempts.push({ at: this.#deps.clock.now(), error: error.name, message: error.message });
    this.#deps.onResult(this.#target, 'refused');
    const last = !error.retryable || delivery.attempts.length >= retry.attempts;
    if (!last) this.#retryLater(delivery);
    else if (retry.then === 'block') this.#block(delivery);
    else return this.#giveUp(delivery, error.retryable ? 'attempts' : 'rejected', error, rendered);
    return Promise.resolve();
  }

  #block(delivery: Delivery): void {
    this.#scheduler.refuse(delivery, 'blocked');
    this.#settlement.remember(delivery);
  }

  #retryLater(delivery: Delivery): void {
    const { attempts } = delivery;
    const wait = fullJitter(this.#target.retry.backoff, attempts.length - 1);
    this.#scheduler.refuse(delivery, 'failed');
    this.#retryIn(delivery, wait);
    this.#settlement.remember(delivery);
  }

  #retryIn(delivery: Delivery, wait: number): void {
    const { clock } = this.#deps;
    const { lane } = delivery;
    delivery.nextAttempt = clock.now() + wait;
    lane.cancel?.();
    lane.due = false;
    lane.cancel = clock.timeout(wait, () => {
      this.#scheduler.due(lane);
      this.pump();
    });
  }

  /** A stored time may lie far ahead when the clock has been set back: never wait longer than the longest backoff. */
  #remaining(nextAttempt: number | undefined): number {
    const wait = (nextAttempt ?? 0) - this.#deps.clock.now();
    return Math.min(Math.max(wait, 0), this.#target.retry.backoff.max);
  }

  async #giveUp(...ending: Parameters<Settlement['giveUp']>): Promise<void> {
    await this.#settlement.giveUp(...ending);
    this.pump();
  }
}
