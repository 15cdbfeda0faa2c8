import type { Target } from '@magpie/routing';
import type { TargetStatus } from '../gateway-api.ts';
import type { Delivery } from './delivery.ts';

/** What is known of a delivery that is not settled. */
export function describe(delivery: Delivery, { consumer, connection }: Target): TargetStatus {
  const { attempts } = delivery;
  const last = attempts.at(-1);
  return {
    consumer,
    connection,
    state: stateOf(delivery),
    attempts: attempts.length,
    ...(last ? { error: last.message, at: last.at, failures: [...attempts] } : {}),
    ...(delivery.nextAttempt === undefined ? {} : { nextAttempt: delivery.nextAttempt }),
  };
}

function stateOf({ state, lane }: Delivery): TargetStatus['state'] {
  if (state === 'flight') return 'in-flight';
  if (state === 'blocked') return 'blocked';
  return lane.failed.length > 0 ? 'held' : 'waiting';
}
