import type { DeadLetterReason, ExceptionRow, Outcome } from '@magpie/bus';
import { type Clock, type Event, type MagpieError, newRef, type OutgoingEvent } from '@magpie/contract';
import type { Rendered, Target } from '@magpie/routing';
import type { StateWriter } from '../log/state-writer.ts';
import type { Backlog } from './backlog.ts';
import type { Delivery } from './delivery.ts';
import { deliveryId } from './delivery-id.ts';
import type { Lanes } from './lanes.ts';

/** What became of a delivery, for counters. */
export type DeliveryResult = Outcome['state'] | 'refused';

export interface SettlementDeps {
  readonly writer: StateWriter;
  readonly clock: Clock;
  /** Whether outcomes of this event are kept for `GET /v1/messages/{ref}`. */
  tracked(event: Event): boolean;
  onResult(target: Target, result: DeliveryResult, ms?: number): void;
  onFatal(error: Error): void;
}

/** How deliveries of one target end, and what is written about those that do not end well. */
export class Settlement {
  #target: Target;
  readonly #deps: SettlementDeps;
  readonly #backlog: Backlog;
  readonly #lanes: Lanes;

  constructor(target: Target, deps: SettlementDeps, backlog: Backlog, lanes: Lanes) {
    this.#target = target;
    this.#deps = deps;
    this.#backlog = backlog;
    this.#lanes = lanes;
  }

  /** A reload changed the route. */
  update(target: Target): void {
    this.#target = target;
  }

  /** The delivery is over: its successors go on, the floor may move. `ms` from send to confirmation. */
  end(delivery: Delivery, outcome: Pick<Outcome, 'state' | 'confirmedBy'>, ms?: number): void {
    this.#lanes.leave(delivery);
    this.#settle(delivery, outcome, ms);
  }

  /** Ends a delivery before it is taken in if its event has expired; tells whether it has. */
  expired({ ref, expiresAt }: Event): boolean {
    if (expiresAt === undefined) return false;
    const { writer, clock, onResult } = this.#deps;
    const { consumer } = this.#target;
    const at = clock.now();
    if (expiresAt > at) return false;
    writer.outcome({ ref, consumer, state: 'expired', at, attempts: 0 });
    onResult(this.#target, 'expired');
    return true;
  }

  /** Ends a delivery without success: durable as a dead letter, unless dropped by policy, before it counts as settled. */
  async giveUp(delivery: Delivery, reason: DeadLetterReason, error: MagpieError, rendered?: Rendered): Promise<void> {
    const { writer, onFatal } = this.#deps;
    delivery.state = 'closing';
    this.#lanes.leave(delivery);
    const drop = this.#target.retry.then === 'drop';
    if (!drop) {
      const letter = this.#letter(delivery, reason, error, rendered);
      await writer.commit({ deadLetters: { put: [letter] } }).catch(onFatal);
    }
    this.#settle(delivery, { state: drop ? 'dropped' : 'dead', error: error.message });
  }

  /** Writes the story of a delivery that waits, so that neither a restart nor the floor loses it. */
  remember(delivery: Delivery): void {
    const state = delivery.state === 'failed' ? 'retry' : delivery.state === 'blocked' ? 'blocked' : 'held';
    const { position, event, attempts, nextAttempt, lane, redelivered } = delivery;
    const row: ExceptionRow = {
      consumer: this.#target.consumer,
      lane: lane.key,
      position,
      state,
      attempts: [...attempts],
      ...(nextAttempt === undefined ? {} : { nextAttempt }),
      ...(redelivered ? { redelivered } : {}),
      event,
    };
    delivery.remembered = true;
    this.#deps.writer.remember(row, () => this.#backlog.park(delivery));
  }

  #settle(delivery: Delivery, outcome: Pick<Outcome, 'state' | 'confirmedBy' | 'error'>, ms?: number): void {
    const { onResult, tracked, writer, clock } = this.#deps;
    const { consumer } = this.#target;
    delivery.state = 'settled';
    this.#lanes.forget(delivery);
    onResult(this.#target, outcome.state, ms);
    // Below the floor a delivery counts as confirmed: what ended otherwise must be remembered, tracked or not, and what is
    // confirmed after all must replace it.
    if (outcome.state !== 'confirmed' || delivery.remembered || tracked(delivery.event)) {
      const attempts = delivery.attempts.length + (outcome.state === 'confirmed' ? 1 : 0);
      writer.outcome({ ref: delivery.event.ref, consumer, at: clock.now(), attempts, ...outcome });
    }
    if (delivery.remembered) writer.forget(consumer, delivery.position);
    this.#backlog.settled(delivery);
  }

  #letter(delivery: Delivery, reason: DeadLetterReason, error: MagpieError, rendered: Rendered | undefined) {
    const { consumer } = this.#target;
    return {
      id: newRef(),
      at: this.#deps.clock.now(),
      consumer,
      position: delivery.position,
      reason,
      error: error.name,
      message: error.message,
      attempts: delivery.attempts,
      event: delivery.event,
      ...(rendered ? { rendered: { outgoing: outgoing(delivery, rendered, consumer), target: rendered.target } } : {}),
    };
  }
}

/** The message of an attempt. */
export function outgoing(
  { event, redelivered }: Pick<Delivery, 'event' | 'redelivered'>,
  { parts }: Rendered,
  consumer: string,
): OutgoingEvent {
  const { ref } = event;
  return { ...parts, id: parts.id ?? ref, ref, delivery: deliveryId(ref, consumer), redelivered };
}
