import type { Clock, Event } from '@magpie/contract';
import type { Target } from '@magpie/routing';
import type { StateWriter } from '../../log-access/state-writer.ts';
import type { CoreObserver } from '../../observer.ts';

export interface ExpiryDeps {
  readonly writer: StateWriter;
  readonly clock: Clock;
  readonly observer: Pick<CoreObserver, 'delivered'>;
}

/** Ends a delivery before it is taken in if its event has expired; tells whether it has. Called per matched event. */
export function endIfExpired(
  { ref, expiresAt }: Event,
  target: Target,
  { writer, clock, observer }: ExpiryDeps,
): boolean {
  if (expiresAt === undefined) return false;
  const at = clock.now();
  if (expiresAt > at) return false;
  writer.outcome({ ref, consumer: target.consumer, state: 'expired', at, attempts: 0 });
  observer.delivered(target, 'expired');
  return true;
}
