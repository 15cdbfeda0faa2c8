import { type Clock, fullJitter, type MagpieError, Rejected } from '@magpie/contract';
import type { Rendered } from '@magpie/routing';
import type { Decision } from '../gateway-api/index.ts';
import type { CoreObserver } from '../observer.ts';
import type { Delivery } from './delivery.ts';
import type { Lanes } from './lanes.ts';
import type { Settlement } from './settlement.ts';
import type { RefusalLog } from './suspension/refusal-log.ts';
import type { TargetInForce } from './target-in-force.ts';

interface RetryDeps {
  readonly clock: Clock;
  readonly observer: Pick<CoreObserver, 'delivered'>;
  readonly refusals: Pick<RefusalLog, 'refused'>;
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
    this.#deps.refusals.refused(target, delivery, error);
    this.#lanes.refuse(delivery, 'failed');
    this.#lanes.retryIn(delivery, fullJitter(retry.backoff, delivery.attempts.length - 1));
    this.#settlement.remember(delivery);
  }

  /** A delivery ends the link each time it is sent: it is given up, or holds its lane where the route says `then: block`. */
  async giveUp(delivery: Delivery, rendered: Rendered, words: string): Promise<void> {
    const { target } = this.#inForce;
    this.#deps.observer.delivered(target, 'refused');
    if (target.retry.then === 'block') this.#stop(delivery);
    else await this.#settlement.giveUp(delivery, 'rejected', new Rejected(words), rendered);
  }

  /** The delivery has no attempts left and holds its lane. */
  block(delivery: Delivery, error: MagpieError): void {
    this.#note(delivery, error);
    this.#stop(delivery);
  }

  #stop(delivery: Delivery): void {
    delivery.nextAttempt = undefined;
    this.#lanes.refuse(delivery, 'blocked');
    this.#settlement.remember(delivery);
  }

  /**
   * An operator decides about a delivery that is not in flight: it is tried again at once, its attempts counted anew, becomes a
   * dead letter, or is dropped.
   */
  decide(delivery: Delivery, decision: Decision): void {
    if (decision === 'retry') {
      if (delivery.state === 'ready') return;
      delivery.attempts.length = 0;
      delivery.suspicion = undefined;
      delivery.state = 'failed';
      this.#lanes.retryIn(delivery, 0);
      this.#settlement.remember(delivery);
      return;
    }
    const last = delivery.attempts.at(-1);
    const error = new Rejected(last?.message ?? 'given up by an operator');
    void this.#settlement.giveUp(delivery, 'attempts', error, undefined, decision === 'drop');
  }

  #note({ attempts }: Delivery, { name, message }: MagpieError): void {
    attempts.push({ at: this.#deps.clock.now(), error: name, message });
  }
}
