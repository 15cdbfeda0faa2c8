import type { DeadLetterReason, ExceptionRow, Outcome } from '@magpie/bus';
import type { Clock, Event, MagpieError } from '@magpie/contract';
import type { Rendered } from '@magpie/routing';
import { deadLetter } from '../log-access/dead-letter.ts';
import type { StateWriter } from '../log-access/state-writer.ts';
import type { CoreObserver, DeliveryResult } from '../observer.ts';
import { outgoing } from './attempt.ts';
import type { Backlog } from './backlog/backlog.ts';
import type { Delivery } from './delivery.ts';
import type { Lanes } from './lanes.ts';
import type { PacingVerdict, TargetPacing } from './pacing/pacing.ts';
import type { TargetInForce } from './target-in-force.ts';
import type { WakeUp } from './wake-up.ts';

export interface SettlementDeps {
  readonly writer: StateWriter;
  readonly clock: Clock;
  readonly observer: Pick<CoreObserver, 'delivered'>;
  /** Whether outcomes of this event are kept for `GET /v1/messages/{ref}`. */
  tracked(event: Event): boolean;
  /** A delivery has ended, for a sender who wants to know. */
  ended(ref: string, isConfirmed: boolean): void;
  /** A request ended without success. */
  refused(ref: string, consumer: string, reason: string): void;
  onFatal(error: Error): void;
}

/** How deliveries of one target end, and the exception rows of those that do not end well. */
export class Settlement {
  readonly #inForce: TargetInForce;
  readonly #deps: SettlementDeps;
  readonly #backlog: Backlog;
  readonly #lanes: Lanes;
  readonly #pacing: Pick<TargetPacing, 'ended'>;
  readonly #wake: WakeUp;

  constructor(
    inForce: TargetInForce,
    backlog: Backlog,
    lanes: Lanes,
    pacing: Pick<TargetPacing, 'ended'>,
    wake: WakeUp,
    deps: SettlementDeps,
  ) {
    this.#inForce = inForce;
    this.#backlog = backlog;
    this.#lanes = lanes;
    this.#pacing = pacing;
    this.#wake = wake;
    this.#deps = deps;
  }

  /**
   * The delivery is over: its successors go on, the floor may move. `ms` from send to confirmation; `result` is what counters
   * call it.
   */
  end(
    delivery: Delivery,
    outcome: Pick<Outcome, 'state' | 'confirmedBy' | 'error'>,
    ms?: number,
    result: DeliveryResult = outcome.state,
  ): void {
    this.#lanes.leave(delivery);
    this.#settle(delivery, outcome, ms, result);
  }

  /** Ends what the pacing of the target does not let out. A place that has got the same before has it, for whoever wants to know. */
  withhold(delivery: Delivery, { reason, result, isThere }: Extract<PacingVerdict, { type: 'drop' }>): void {
    this.#lanes.leave(delivery);
    this.#settle(delivery, { state: 'dropped', error: reason }, undefined, result, isThere);
  }

  /**
   * Ends a delivery without success: durable as a dead letter, unless dropped by policy or `drop`, before it counts as
   * settled. Never rejects.
   */
  async giveUp(
    delivery: Delivery,
    reason: DeadLetterReason,
    error: MagpieError,
    rendered?: Rendered,
    drop = this.#inForce.target.retry.then === 'drop',
  ): Promise<void> {
    const { writer, clock, onFatal } = this.#deps;
    const { target } = this.#inForce;
    const { consumer } = target;
    delivery.state = 'closing';
    this.#lanes.leave(delivery);
    if (!drop) {
      const { event, position, attempts } = delivery;
      const letter = deadLetter({
        ...{ at: clock.now(), event, consumer, position, reason, error, attempts },
        ...(rendered ? { rendered: { outgoing: outgoing(delivery, rendered, target), target: rendered.target } } : {}),
      });
      await writer.commit({ deadLetters: { put: [letter] } }).catch(onFatal);
    }
    this.#settle(delivery, { state: drop ? 'dropped' : 'dead', error: error.message });
    this.#wake.call();
  }

  /** Writes the exception row of a delivery that waits, so that neither a restart nor the floor loses it. */
  remember(delivery: Delivery): void {
    const state = delivery.state === 'failed' ? 'retry' : delivery.state === 'blocked' ? 'blocked' : 'held';
    const { position, event, attempts, nextAttempt, lane, redelivered } = delivery;
    const row: ExceptionRow = {
      consumer: this.#inForce.target.consumer,
      lane: lane.key,
      position,
      state,
      attempts: [...attempts],
      ...(nextAttempt === undefined ? {} : { nextAttempt }),
      ...(redelivered ? { redelivered } : {}),
      event,
    };
    delivery.remembered = true;
    this.#deps.writer.remember(row, () => {
      this.#backlog.park(delivery);
      this.#wake.call();
    });
  }

  #settle(
    delivery: Delivery,
    outcome: Pick<Outcome, 'state' | 'confirmedBy' | 'error'>,
    ms?: number,
    result: DeliveryResult = outcome.state,
    isThere?: Promise<boolean>,
  ): void {
    const { observer, tracked, writer, clock, ended } = this.#deps;
    const { target } = this.#inForce;
    const { consumer } = target;
    delivery.state = 'settled';
    this.#lanes.forget(delivery);
    this.#pacing.ended(delivery, outcome.state === 'confirmed');
    observer.delivered(target, result, ms);
    const { ref } = delivery.event;
    if (isThere === undefined) ended(ref, result === 'confirmed');
    else void isThere.then((has) => ended(ref, has));
    // Below the floor a delivery counts as confirmed: any other end must be written, tracked or not, and so must a
    // confirmation that follows one.
    if (outcome.state !== 'confirmed' || delivery.remembered || tracked(delivery.event)) {
      const attempts = delivery.attempts.length + (outcome.state === 'confirmed' ? 1 : 0);
      writer.outcome({ ref: delivery.event.ref, consumer, at: clock.now(), attempts, ...outcome });
    }
    const { state, error = 'it was dropped' } = outcome;
    if (target.reply !== undefined && (state === 'dead' || state === 'dropped'))
      this.#deps.refused(delivery.event.ref, consumer, error);
    if (delivery.remembered) writer.forget(consumer, delivery.position);
    this.#backlog.settled(delivery);
  }
}
