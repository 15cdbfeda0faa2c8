import type { Address } from './address.ts';

/**
 * An address of any scheme as text that needs no scheme to be read: `scheme:` and the segments, percent-encoded
 * (RFC 3986 section 2.1) and joined by `/`. The form in which every protocol carries addresses it has no place for. Lone
 * surrogates become U+FFFD.
 */
export const addressToText = ({ scheme, segments }: Address): string =>
  `${scheme}:${segments.map((segment) => encodeURIComponent(segment.toWellFormed())).join('/')}`;

/** The inverse of `addressToText`; undefined for anything else, since it comes from outside. Called per received message. */
export function textToAddress(text: unknown): Address | undefined {
  const match = typeof text === 'string' ? /^([a-z][a-z0-9+.-]*):(.*)$/s.exec(text) : null;
  if (!match) return undefined;
  try {
    return { scheme: match[1]!, segments: match[2]!.split('/').map(decodeURIComponent) };
  } catch {
    return undefined; // A stray percent sign: written by somebody else.
  }
}
