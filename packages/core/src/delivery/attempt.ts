import type { EventLog } from '@magpie/bus';
import { type Clock, type MagpieError, type OutgoingEvent, Rejected, toMagpieError } from '@magpie/contract';
import type { Rendered, Target } from '@magpie/routing';
import type { Delivery } from './delivery.ts';
import { deliveryId } from './delivery-id.ts';

/** Why a delivery ends without being sent. */
export type Ending =
  | { readonly reason: 'expired' }
  | { readonly reason: 'age' | 'rejected' | 'loop'; readonly error: MagpieError };

/** What came back from where it had been sent goes out no more. */
export const LOOPED: Ending = {
  reason: 'loop',
  error: new Rejected('it is a message of this gateway that came back and would go round for ever'),
};

/** What is sent in an attempt. */
export interface Attempt {
  readonly rendered: Rendered;
  readonly message: OutgoingEvent;
}

/** What to send, or why the delivery is not sent. Called per attempt; never throws. */
export function prepare(
  delivery: Delivery,
  target: Target,
  { clock, ageOf }: { readonly clock: Clock; readonly ageOf: EventLog['ageOf'] },
): Attempt | Ending {
  const { event, error } = delivery;
  const { retry, render } = target;
  const isPast = (time: number | undefined): boolean => time !== undefined && time <= clock.now();
  if (isPast(event.expiresAt)) return { reason: 'expired' };
  if (ageOf(event.receivedAt) > retry.maxAge) {
    return { reason: 'age', error: new Rejected(`still not delivered after maxAge (${retry.maxAge} ms)`) };
  }
  if (error) return { reason: 'rejected', error };
  try {
    const rendered = render(event);
    if (isPast(rendered.parts.expiresAt)) return { reason: 'expired' };
    return { rendered, message: outgoing(delivery, rendered, target) };
  } catch (problem) {
    return { reason: 'rejected', error: toMagpieError(problem) };
  }
}

/** The message of an attempt. Called per attempt, and per dead letter. */
export function outgoing(
  { event, redelivered }: Pick<Delivery, 'event' | 'redelivered'>,
  { parts }: Rendered,
  { consumer, reply }: Pick<Target, 'consumer' | 'reply'>,
): OutgoingEvent {
  const { ref } = event;
  const delivery = deliveryId(ref, consumer);
  const message = { ...parts, id: parts.id ?? ref, ref, delivery, redelivered };
  return reply === undefined || parts.correlationId !== undefined ? message : { ...message, correlationId: delivery };
}
