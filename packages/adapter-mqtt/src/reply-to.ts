import type { Address } from '@magpie/contract';

/** An address of any scheme as text: `scheme:` and percent-encoded segments joined by `/`. */
export const formatAddress = ({ scheme, segments }: Address): string =>
  `${scheme}:${segments.map((segment) => encodeURIComponent(segment.toWellFormed())).join('/')}`;

/** The inverse of `formatAddress`; undefined when the text is none. */
export function parseAddress(text: string): Address | undefined {
  const match = /^([a-z][a-z0-9-]*):(.*)$/s.exec(text);
  if (!match) return undefined;
  try {
    return { scheme: match[1]!, segments: match[2]!.split('/').map(decodeURIComponent) };
  } catch {
    return undefined; // A stray percent sign: written by somebody else.
  }
}
