import { createHash } from 'node:crypto';
import type { DeadLetterReason, EventLog, Outcome, Position, StoredEvent } from '@magpie/bus';
import {
  type Clock,
  type Event,
  type MagpieError,
  newRef,
  type OutgoingEvent,
  Rejected,
  type SendReceipt,
  type TargetRequest,
  toMagpieError,
} from '@magpie/contract';
import type { Match, Rendered, Target } from '@magpie/routing';
import { Backlog } from './backlog.ts';
import { fullJitter } from './backoff.ts';
import type { Delivery, Lane } from './delivery.ts';
import type { FloorSource, Ledger } from './ledger.ts';
import { Scheduler } from './scheduler.ts';
import { Suspension } from './suspension.ts';
import type { LogReader } from './tail.ts';
import type { TargetStatus } from './types.ts';
import type { Window } from './window.ts';

/** Refusals in a row, over more than one lane, that count as an outage of the target. */
const REFUSALS_TO_SUSPEND = 5;

/** The link of a target's connection as an outlet uses it. */
export interface SendPort {
  up(): boolean;
  readonly window: Window;
  send(event: OutgoingEvent, target: TargetRequest, signal: AbortSignal): Promise<SendReceipt>;
}

/** What became of a delivery, for counters. */
export type DeliveryResult = Outcome['state'] | 'refused';

export interface OutletDeps {
  readonly log: EventLog;
  readonly reader: LogReader;
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly port: SendPort;
  /** Fires when waiting for confirmations is over (end of a drain). */
  readonly signal: AbortSignal;
  /** Up to where the router has matched. */
  routed(): Position | undefined;
  /** The match of this target for an event, by the current routes. */
  match(event: Event): Match | undefined;
  /** Whether outcomes of this event are kept for `GET /v1/messages/{ref}`. */
  tracked(event: Event): boolean;
  onResult(target: Target, result: DeliveryResult, ms?: number): void;
  onSuspended(target: Target, error: MagpieError): void;
  onFatal(error: Error): void;
}

/** Everything on its way to one target: bounded backlog, lanes, retries, floor. Driven by the router and the link. */
export class Outlet implements FloorSource {
  readonly target: Target;
  readonly consumer: string;
  readonly #deps: OutletDeps;
  readonly #scheduler: Scheduler;
  readonly #suspension: Suspension;
  readonly #backlog: Backlog;
  #refusals: Lane[] = [];
  #flying = 0;
  #stopped = false;

  constructor(target: Target, deps: OutletDeps) {
    this.target = target;
    this.consumer = target.consumer;
    this.#deps = deps;
    this.#scheduler = new Scheduler(target.order);
    this.#suspension = new Suspension(deps.clock, () => this.pump());
    this.#backlog = new Backlog(deps.reader, deps.routed, {
      laneFor: (key) => this.#scheduler.laneFor(key),
      accepted: (delivery) => this.#accepted(delivery),
      match: ({ event }) => deps.match(event),
      refilled: () => this.pump(),
      moved: () => deps.ledger.touch(this),
      failed: deps.onFatal,
    });
  }

  floor(): Position | null {
    return this.#backlog.floor();
  }

  /** Takes a delivery from the router; `before` is the position matched before this event. */
  offer(stored: StoredEvent, match: Match, before: Position | undefined): void {
    this.#backlog.offer(stored, match, before);
    this.pump();
  }

  /** Begins behind the router, at a floor from the log. */
  resume(floor: Position): void {
    this.#backlog.resume(floor);
  }

  /** The link came up. */
  linkUp(): void {
    this.#suspension.retryNow();
    this.pump();
  }

  /** Sends what may be sent. */
  pump(): void {
    const { port } = this.#deps;
    if (this.#stopped || !port.up()) return;
    if (this.#flying === 0 && this.#suspension.probe()) this.#scheduler.requeue(this.#backlog.pending());
    while (this.#suspension.admits(this.#flying)) {
      const delivery = this.#scheduler.next();
      if (!delivery || !port.window.acquire(this.#wake)) return;
      this.#dispatch(delivery);
    }
  }

  /** Deliveries in memory that are not settled, and whether more wait in the log. */
  load(): {
    readonly waiting: number;
    readonly flying: number;
    readonly lagging: boolean;
    readonly suspended: boolean;
  } {
    const { size, lagging } = this.#backlog;
    return { waiting: size - this.#flying, flying: this.#flying, lagging, suspended: this.#suspension.suspended };
  }

  /** State of one delivery; undefined when it is not in memory. */
  status(position: Position): TargetStatus | undefined {
    const delivery = this.#backlog.pending().find((other) => other.position === position && other.state !== 'settled');
    return delivery && describe(delivery, this.target);
  }

  /** Sends nothing more; what is in flight may still be confirmed. */
  stop(): void {
    this.#stopped = true;
    this.#backlog.close();
    this.#suspension.stop();
    this.#scheduler.stop();
  }

  readonly #wake = (): void => this.pump();

  #accepted(delivery: Delivery): void {
    this.#scheduler.add(delivery);
    this.#deps.ledger.touch(this);
  }

  #dispatch(delivery: Delivery): void {
    const { port, signal, clock, onFatal } = this.#deps;
    const rendered = this.#prepare(delivery);
    const ended = typeof rendered === 'function';
    this.#scheduler.launch(delivery, !ended);
    if (ended) {
      port.window.release();
      rendered();
      return;
    }
    this.#flying++;
    const started = clock.monotonic();
    port
      .send(outgoing(delivery, rendered, this.consumer), rendered.target, signal)
      .then(
        (receipt) => this.#confirmed(delivery, receipt, clock.monotonic() - started),
        (error: unknown) => this.#refused(delivery, rendered, toMagpieError(error)),
      )
      .catch(onFatal);
  }

  /** What to send, or how the delivery ends without being sent. */
  #prepare(delivery: Delivery): Rendered | (() => void) {
    const { event, error } = delivery;
    const now = this.#deps.clock.now();
    if (event.expiresAt !== undefined && event.expiresAt <= now) {
      return () => this.#end(delivery, { state: 'expired' });
    }
    const { maxAge } = this.target.retry;
    if (now - event.receivedAt > maxAge) {
      const tooOld = new Rejected(`still not delivered after maxAge (${maxAge} ms)`);
      return () => void this.#giveUp(delivery, 'age', tooOld);
    }
    try {
      if (error) throw error;
      return this.target.render(event);
    } catch (problem) {
      return () => void this.#giveUp(delivery, 'rejected', toMagpieError(problem));
    }
  }

  #land(delivery: Delivery): void {
    this.#flying--;
    this.#scheduler.landed(delivery);
    this.#deps.port.window.release();
  }

  #confirmed(delivery: Delivery, { confirmedBy }: SendReceipt, ms: number): void {
    this.#land(delivery);
    this.#refusals = [];
    this.#suspension.answered();
    this.#end(delivery, { state: 'confirmed', confirmedBy }, ms);
    this.pump();
  }

  async #refused(delivery: Delivery, rendered: Rendered, error: MagpieError): Promise<void> {
    this.#land(delivery);
    delivery.redelivered ||= error.name === 'Unknown' || error.name === 'Aborted';
    if (error.suspends || (error.retryable && this.#isOutage(delivery))) {
      delivery.state = 'ready';
      this.#suspension.suspend(error);
      this.#deps.onSuspended(this.target, error);
    } else {
      this.#suspension.answered();
      await this.#judge(delivery, rendered, error);
    }
    this.#scheduler.retry(delivery.lane);
    this.pump();
  }

  /** Refusals in a row over several lanes: the target is out, not these deliveries at fault. */
  #isOutage(delivery: Delivery): boolean {
    this.#refusals.push(delivery.lane);
    return this.#refusals.length >= REFUSALS_TO_SUSPEND && new Set(this.#refusals).size > 1;
  }

  /** The target refused this delivery: try again later, or give up. */
  #judge(delivery: Delivery, rendered: Rendered, error: MagpieError): Promise<void> {
    const { retry } = this.target;
    delivery.attempts.push({ at: this.#deps.clock.now(), error: error.name, message: error.message });
    this.#deps.onResult(this.target, 'refused');
    const last = !error.retryable || delivery.attempts.length >= retry.attempts;
    if (!last) this.#retryLater(delivery);
    else if (retry.then === 'block') this.#scheduler.refuse(delivery, 'blocked');
    else return this.#giveUp(delivery, error.retryable ? 'attempts' : 'rejected', error, rendered);
    return Promise.resolve();
  }

  #retryLater(delivery: Delivery): void {
    const { clock } = this.#deps;
    const { lane, attempts } = delivery;
    this.#scheduler.refuse(delivery, 'failed');
    const wait = fullJitter(this.target.retry.backoff, attempts.length - 1);
    delivery.nextAttempt = clock.now() + wait;
    lane.cancel?.();
    lane.due = false;
    lane.cancel = clock.timeout(wait, () => {
      this.#scheduler.due(lane);
      this.pump();
    });
  }

  /** Ends a delivery without success: durable as a dead letter, unless dropped by policy, before it counts as settled. */
  async #giveUp(delivery: Delivery, reason: DeadLetterReason, error: MagpieError, rendered?: Rendered): Promise<void> {
    const { ledger, onFatal, clock } = this.#deps;
    delivery.state = 'closing';
    this.#scheduler.leave(delivery);
    const drop = this.target.retry.then === 'drop';
    const letter = {
      id: newRef(),
      at: clock.now(),
      consumer: this.consumer,
      reason,
      error: error.name,
      message: error.message,
      attempts: delivery.attempts,
      event: delivery.event,
    };
    const sent = rendered && {
      rendered: { outgoing: outgoing(delivery, rendered, this.consumer), target: rendered.target },
    };
    if (!drop) await ledger.deadLetter({ ...letter, ...sent }).catch(onFatal);
    this.#settle(delivery, { state: drop ? 'dropped' : 'dead', error: error.message });
    this.pump();
  }

  #end(delivery: Delivery, outcome: Pick<Outcome, 'state' | 'confirmedBy'>, ms?: number): void {
    this.#scheduler.leave(delivery);
    this.#settle(delivery, outcome, ms);
  }

  #settle(delivery: Delivery, outcome: Pick<Outcome, 'state' | 'confirmedBy' | 'error'>, ms?: number): void {
    const { onResult, tracked, ledger, clock } = this.#deps;
    delivery.state = 'settled';
    this.#scheduler.forget(delivery);
    onResult(this.target, outcome.state, ms);
    if (tracked(delivery.event)) {
      const attempts = delivery.attempts.length + (outcome.state === 'confirmed' ? 1 : 0);
      ledger.outcome({ ref: delivery.event.ref, consumer: this.consumer, at: clock.now(), attempts, ...outcome });
    }
    this.#backlog.settled();
  }
}

function describe(delivery: Delivery, { consumer, connection }: Target): TargetStatus {
  const last = delivery.attempts.at(-1);
  const waiting = delivery.lane.failed.length > 0 ? 'held' : 'waiting';
  return {
    consumer,
    connection,
    state: delivery.state === 'flight' ? 'in-flight' : waiting,
    attempts: delivery.attempts.length,
    ...(last ? { error: last.message, at: last.at } : {}),
    ...(delivery.nextAttempt === undefined ? {} : { nextAttempt: delivery.nextAttempt }),
  };
}

function outgoing(delivery: Delivery, { parts }: Rendered, consumer: string): OutgoingEvent {
  const { ref } = delivery.event;
  return { ...parts, id: parts.id ?? ref, ref, delivery: deliveryId(ref, consumer), redelivered: delivery.redelivered };
}

/** A UUIDv8 (RFC 9562 section 5.8) that names one event on its way to one target, the same on every attempt. */
function deliveryId(ref: string, consumer: string): string {
  const hex = createHash('sha256').update(`${ref}\n${consumer}`).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
