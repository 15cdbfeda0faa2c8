import { hash } from 'node:crypto';

/**
 * A UUIDv8 (RFC 9562 section 5.8) that names one event on its way to one target, the same on every attempt. It begins with
 * the time of the event's ref, so that the event can be found again when all that comes back is this id.
 */
export function deliveryId(ref: string, consumer: string): string {
  const digest = hash('sha256', `${ref}\n${consumer}`);
  return `${ref.slice(0, TIME_LENGTH)}-8${digest.slice(13, 16)}-a${digest.slice(17, 20)}-${digest.slice(20, 32)}`;
}

/** Whether a delivery id can be one of this ref; cheap, and wrong only for refs of the same millisecond. */
export const mayBeOf = (id: string, ref: string): boolean => id.startsWith(ref.slice(0, TIME_LENGTH));

/** When the event of a delivery got its ref, ms since the epoch; undefined for a text that is no delivery id. */
export function timeOf(id: string): number | undefined {
  return DELIVERY_ID.test(id) ? Number.parseInt(id.slice(0, TIME_LENGTH).replace('-', ''), 16) : undefined;
}

/** The first two groups of a UUIDv7: 48 bits of time. */
const TIME_LENGTH = 13;
const DELIVERY_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}$/;
