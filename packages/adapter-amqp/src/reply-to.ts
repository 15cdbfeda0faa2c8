import type { Address, AddressScheme } from '@magpie/contract';
import { exchangeScheme, queueScheme, SHORT_STRING_BYTES } from './codec/address.ts';

const schemes = new Map<string, AddressScheme>([
  ['queue', queueScheme],
  ['exchange', exchangeScheme],
]);

/** The queue name for the `reply-to` property, when the address is a plain queue that fits into it. */
export function replyQueue({ scheme, segments }: Address): string | undefined {
  const [queue] = segments;
  if (scheme !== 'queue' || queue === undefined || queue === '' || segments.length > 1) return undefined;
  return queue.isWellFormed() && Buffer.byteLength(queue) <= SHORT_STRING_BYTES ? queue : undefined;
}

/** Any address as text, for the header that carries what is not a queue. */
export function formatReplyTo({ scheme, segments }: Address): string {
  const known = schemes.get(scheme);
  const value = known
    ? known.format(segments)
    : segments.map((one) => encodeURIComponent(one.toWellFormed())).join('/');
  return `${scheme}:${value}`;
}

/** The inverse of `formatReplyTo`; undefined for anything else, since the header comes from outside. */
export function parseReplyTo(text: unknown): Address | undefined {
  const [, scheme, value] = typeof text === 'string' ? (/^([a-z][a-z0-9+.-]*):(.*)$/s.exec(text) ?? []) : [];
  if (scheme === undefined || value === undefined) return undefined;
  try {
    return { scheme, segments: schemes.get(scheme)?.parse(value) ?? value.split('/').map(decodeURIComponent) };
  } catch {
    return undefined; // Not an address: the event goes on without one.
  }
}
