import type { Target } from '@magpie/routing';
import type { Delivery } from './delivery.ts';
import type { TargetStatus } from './types.ts';

/** What is known of a delivery that is not settled. */
export function describe(delivery: Delivery, { consumer, connection }: Target): TargetStatus {
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
