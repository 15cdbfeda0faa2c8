import type { ExceptionRow } from '@magpie/bus';
import { type Clock, fullJitter, type MagpieError, Rejected } from '@magpie/contract';
import type { Rendered, Target } from '@magpie/routing';
import type { Delivery } from './delivery.ts';
import type { Lanes } from './lanes.ts';
import type { DeliveryResult, Settlement } from './settlement.ts';

/** What retries ask of the queue they belong to. */
export interface RetryOwner {
  readonly target: Target;
  /** Sends what may be sent. */
  pump(): void;
  giveUp(...ending: Parameters<Settlement['giveUp']>): Promise<void>;
}

interface RetryDeps {
  readonly clock: Clock;
  onResult(target: Target, result: DeliveryResult): void;
}

/** What happens to refused deliveries of one target: another attempt after a backoff, the end, or waiting for an operator. */
export class Retries {
  readonly #owner: RetryOwner;
  readonly #deps: RetryDeps;
  readonly #lanes: Lanes;
  readonly #settlement: Settlement;

  constructor(owner: RetryOwner, deps: RetryDeps, lanes: Lanes, settlement: Settlement) {
    this.#owner = owner;
    this.#deps = deps;
    this.#lanes = lanes;
    this.#settlement = settlement;
  }

  /** The target refused this delivery while it takes others: an attempt is used up. Resolves when a last one is durable. */
  async judge(delivery: Delivery, rendered: Rendered, error: MagpieError): Promise<void> {
    const { target } = this.#owner;
    const { retry } = target;
    this.#deps.onResult(target, 'refused');
    const isLast = !error.retryable || delivery.attempts.length + 1 >= retry.attempts;
    if (isLast && retry.then === 'block') return this.block(delivery, error);
    this.#note(delivery, error);
    if (isLast) return this.#owner.giveUp(delivery, error.retryable ? 'attempts' : 'rejected', error, rendered);
    this.#lanes.refuse(delivery, 'failed');
    this.#retryIn(delivery, fullJitter(retry.backoff, delivery.attempts.length - 1));
    this.#settlement.remember(delivery);
  }

  /** The delivery has no attempts left and holds its lane. */
  block(delivery: Delivery, error: MagpieError): void {
    this.#note(delivery, error);
    delivery.nextAttempt = undefined;
    this.#lanes.refuse(delivery, 'blocked');
    this.#settlement.remember(delivery);
  }

  /** Takes back a delivery from its exception row. */
  restored(delivery: Delivery, { state, nextAttempt }: ExceptionRow): void {
    if (state === 'held') this.#lanes.add(delivery);
    else this.#lanes.restore(delivery, state === 'retry' ? 'failed' : 'blocked');
    if (state === 'retry') this.#retryIn(delivery, this.#remaining(nextAttempt));
  }

  /** Decides about blocked deliveries: they are tried again, their attempts counted anew, or become dead letters. */
  unblock(blocked: readonly Delivery[], decision: 'retry' | 'dead-letter'): void {
    for (const delivery of blocked) {
      const last = delivery.attempts.at(-1);
      if (decision === 'dead-letter') {
        void this.#owner.giveUp(delivery, 'attempts', new Rejected(last?.message ?? 'given up by an operator'));
      } else {
        delivery.attempts.length = 0;
        delivery.state = 'failed';
        this.#retryIn(delivery, 0);
        this.#settlement.remember(delivery);
      }
    }
  }

  #note({ attempts }: Delivery, { name, message }: MagpieError): void {
    attempts.push({ at: this.#deps.clock.now(), error: name, message });
  }

  #retryIn(delivery: Delivery, wait: number): void {
    const { clock } = this.#deps;
    const { lane } = delivery;
    delivery.nextAttempt = clock.now() + wait;
    lane.cancel?.();
    lane.due = false;
    lane.cancel = clock.timeout(wait, () => {
      this.#lanes.due(lane);
      this.#owner.pump();
    });
  }

  /** A stored time may lie far ahead when the clock has been set back: never wait longer than the longest backoff. */
  #remaining(nextAttempt: number | undefined): number {
    const wait = (nextAttempt ?? 0) - this.#deps.clock.now();
    return Math.min(Math.max(wait, 0), this.#owner.target.retry.backoff.max);
  }
}
