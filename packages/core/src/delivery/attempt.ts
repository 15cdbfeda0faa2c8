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

/** What to send, or why the delivery is not sent. Called per attempt; never throws. */
export function prepare(
  { event, error }: Delivery,
  { retry, render }: Target,
  { clock, ageOf }: { readonly clock: Clock; readonly ageOf: EventLog['ageOf'] },
): Rendered | Ending {
  const isPast = (time: number | undefined): boolean => time !== undefined && time <= clock.now();
  if (isPast(event.expiresAt)) return { reason: 'expired' };
  if (ageOf(event.receivedAt) > retry.maxAge) {
    return { reason: 'age', error: new Rejected(`still not delivered after maxAge (${retry.maxAge} ms)`) };
  }
  if (error) return { reason: 'rejected', error };
  try {
    const rendered = render(event);
    return isPast(rendered.parts.expiresAt) ? { reason: 'expired' } : rendered;
  } catch (problem) {
    return { reason: 'rejected', error: toMagpieError(problem) };
  }
}

/** The message of an attempt. Called per attempt. */
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
