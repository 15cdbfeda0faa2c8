import type { ReceivedEvent } from './event.ts';

/** The first and the last time that RFC 3339 can write, which has four digits for a year; ms since the epoch. */
export const INSTANTS = {
  first: Date.parse('0001-01-01T00:00:00.000Z'),
  last: Date.parse('9999-12-31T23:59:59.999Z'),
} as const;

/** Whether a time, ms since the epoch, can be written. */
export const isInstant = (ms: number): boolean => ms >= INSTANTS.first && ms <= INSTANTS.last;

/** The nearest time that can be written; the first for NaN. */
const nearestInstant = (ms: number): number =>
  Number.isNaN(ms) ? INSTANTS.first : Math.min(Math.max(ms, INSTANTS.first), INSTANTS.last);

/**
 * A time as every answer shows it (RFC 3339, UTC), from ms since the epoch. Never throws: one out of range shows as the nearest
 * that can be written.
 */
export const isoInstant = (ms: number): string => new Date(nearestInstant(ms)).toISOString();

/**
 * A received event whose times can be written. A time out of range is left out, so that the time of receipt counts; an expiry
 * out of range is left out when it is later than all times, or is none, and the first of all times when it is earlier. Called
 * per event by the intake, because senders choose times in the units of their protocol.
 */
export function withInstants(received: ReceivedEvent): ReceivedEvent {
  const { time, expiresAt, ...rest } = received;
  const isTimely = time === undefined || isInstant(time);
  const isExpiring = expiresAt === undefined || isInstant(expiresAt);
  if (isTimely && isExpiring) return received;
  const timely = isTimely && time !== undefined ? { time } : {};
  if (expiresAt === undefined || !(expiresAt <= INSTANTS.last)) return { ...rest, ...timely };
  return { ...rest, ...timely, expiresAt: nearestInstant(expiresAt) };
}
