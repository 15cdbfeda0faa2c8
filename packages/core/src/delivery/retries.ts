import { type Clock, fullJitter, type MagpieError, Rejected } from '@magpie/contract';
import type { Rendered } from '@magpie/routing';
import type { CoreObserver } from '../observer.ts';
import type { Delivery } from './delivery.ts';
import type { Lanes } from './lanes.ts';
import type { Settlement } from './settlement.ts';
import type { TargetInForce } from './target-in-force.ts';

interface RetryDeps {
  readonly clock: Clock;
  readonly observer: Pick<CoreObserver, 'delivered'>;
}

/** What happens to refused deliveries of one target: another attempt after a backoff, the end, or waiting for an operator. */
export class Retries {
  readonly #inForce: TargetInForce;
  readonly #lanes: Lanes;
  readonly #settlement: Settlement;
  readonly #deps: RetryDeps;

  constructor(inForce: TargetInForce, lanes: Lanes, settlement: Settlement, deps: RetryDeps) {
    this.#inForce = inForce;
    this.#lanes = lanes;
    this.#settlement = settlement;
    this.#deps = deps;
  }

  /** The target refused this delivery while it takes others: an attempt is used up. Resolves when a last one is durable. */
  async refused(delivery: Delivery, rendered: Rendered, error: MagpieError): Promise<void> {
    const { target } = this.#inForce;
    const { retry } = target;
    this.#deps.observer.delivered(target, 'refused');
    const isLast = !error.retryable || delivery.attempts.length + 1 >= retry.attempts;
    if (isLast && retry.then === 'block') return this.block(delivery, error);
    this.#note(delivery, error);
    if (isLast) return this.#settlement.giveUp(delivery, error.retryable ? 'attempts' : 'rejected', error, rendered);
    this.#lanes.refuse(delivery, 'failed');
    this.#lanes.retryIn(delivery, fullJitter(retry.backoff, delivery.attempts.length - 1));
    this.#settlement.remember(delivery);
  }

  /** The delivery has no attempts left and holds its lane. */
  block(delivery: Delivery, error: MagpieError): void {
    this.#note(delivery, error);
    delivery.nextAttempt = undefined;
    this.#lanes.refuse(delivery, 'blocked');
    this.#settlement.remember(delivery);
  }

  /** An operator decides about blocked deliveries: they are tried again, their attempts counted anew, or become dead letters. */
  unblock(blocked: readonly Delivery[], decision: 'retry' | 'dead-letter'): void {
    for (const delivery of blocked) {
      const last = delivery.attempts.at(-1);
      if (decision === 'dead-letter') {
        void this.#settlement.giveUp(delivery, 'attempts', new Rejected(last?.message ?? 'given up by an operator'));
      } else {
        delivery.attempts.length = 0;
        delivery.state = 'failed';
        this.#lanes.retryIn(delivery, 0);
        this.#settlement.remember(delivery);
      }
    }
  }

  #note({ attempts }: Delivery, { name, message }: MagpieError): void {
    attempts.push({ at: this.#deps.clock.now(), error: name, message });
  }
}
