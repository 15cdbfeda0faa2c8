import { type AddressScheme, percentEncode } from './address.ts';

/** Options of a scheme whose addresses are one word split by a single separator. */
export interface PathSchemeOptions {
  readonly scheme: string;
  /** The native word, for example `topic`. */
  readonly word: string;
  readonly separator: string;
  /** Native wildcard for exactly one segment. */
  readonly one?: string;
  /** Native wildcard for zero or more segments at the end. */
  readonly many?: string;
  /** Longest address in UTF-8 bytes. */
  readonly maxBytes: number;
}

/**
 * Builds a scheme for path-like addresses (`plant/p7/alarm`). Empty segments are kept: `a//b` has three segments.
 * Shared by every adapter whose places are slash- or dot-separated paths.
 */
export function pathScheme(options: PathSchemeOptions): AddressScheme {
  const { scheme, word, separator, one, many, maxBytes } = options;
  const special = `${separator + (one ?? '') + (many ?? '')}\0`;
  const split = (words: Readonly<Record<string, string>>): string[] => (words[word] ?? '').split(separator);
  return {
    scheme,
    words: [word],
    split,
    splitPattern: split,
    join: (segments) => ({ [word]: segments.join(separator) }),
    parse: (value) => value.split(separator),
    format: (segments) => segments.join(separator),
    wildcard: (segment) => {
      if (one !== undefined && segment === one) return 'one';
      return many !== undefined && segment === many ? 'many' : undefined;
    },
    encode: (value) => percentEncode(value.toWellFormed(), special),
    check: (segments) => checkPath(segments, options, maxBytes),
  };
}

function checkPath(segments: readonly string[], options: PathSchemeOptions, maxBytes: number): string | undefined {
  const { word, separator, one, many } = options;
  const value = segments.join(separator);
  if (value === '') return `an empty ${word}`;
  if (segments.some((segment) => segment.includes(separator))) return `a separator "${separator}" inside a segment`;
  if (value.includes('\0')) return `a NUL character in the ${word}`;
  if (!value.isWellFormed()) return `a lone surrogate in the ${word}`;
  if (one !== undefined && value.includes(one)) return `the wildcard "${one}" in a ${word} to send to`;
  if (many !== undefined && value.includes(many)) return `the wildcard "${many}" in a ${word} to send to`;
  const bytes = Buffer.byteLength(value);
  return bytes > maxBytes ? `a ${word} of ${bytes} bytes, more than ${maxBytes}` : undefined;
}
