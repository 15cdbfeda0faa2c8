import { hash } from 'node:crypto';

/**
 * A UUIDv8 (RFC 9562 section 5.8) that names one event on its way to one target, the same on every attempt. It begins with
 * the time of the event's ref, so that the event can be found again when all that comes back is this id.
 */
export function deliveryId(ref: string, consumer: string): string {
  const { high, low } = maskOf(consumer);
  const node = hex24(Number.parseInt(ref.slice(24, 30), 16) ^ high) + hex24(Number.parseInt(ref.slice(30), 16) ^ low);
  return `${ref.slice(0, TIME_LENGTH)}-8${ref.slice(15, 24)}${node}`;
}

/** 48 bits of a consumer's name. What they are mixed with stays as unique as it is. */
interface Mask {
  readonly high: number;
  readonly low: number;
}

/** Bounded by the number of targets that have ever been configured. */
const masks = new Map<string, Mask>();

function maskOf(consumer: string): Mask {
  const known = masks.get(consumer);
  if (known) return known;
  const digest = hash('sha256', consumer);
  const mask = { high: Number.parseInt(digest.slice(0, 6), 16), low: Number.parseInt(digest.slice(6, 12), 16) };
  masks.set(consumer, mask);
  return mask;
}

const hex24 = (value: number): string => (value + 0x1_00_00_00).toString(16).slice(1);

/** Whether a delivery id can be one of this ref; cheap, and wrong only for refs of the same millisecond. */
export const mayBeOf = (id: string, ref: string): boolean => id.startsWith(ref.slice(0, TIME_LENGTH));

/** When the event of a delivery got its ref, ms since the epoch; undefined for a text that is no delivery id. */
export function timeOf(id: string): number | undefined {
  return DELIVERY_ID.test(id) ? Number.parseInt(id.slice(0, TIME_LENGTH).replace('-', ''), 16) : undefined;
}

/** The first two groups of a UUIDv7: 48 bits of time. */
const TIME_LENGTH = 13;
const DELIVERY_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
