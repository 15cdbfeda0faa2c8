import {
  type AddressBook,
  type AddressPattern,
  type AddressScheme,
  type PatternSegment,
  Rejected,
} from '@magpie/contract';
import type { ConnectionInfo } from '../types.ts';

/**
 * A pattern from text: `topic:plant/+/alarm`, or with a connection given just `plant/+/alarm` in the connection's first
 * scheme. Native wildcards are understood. Throws `Rejected` naming what was expected.
 */
export function patternFromText(
  text: string,
  book: AddressBook,
  connection: ConnectionInfo | undefined,
): AddressPattern {
  const { scheme, value } = split(text, book, connection);
  // By the words, as a route's pattern is read: in the spelling that the protocol compares, and a missing word means any.
  const read = scheme.splitPattern(scheme.join(scheme.parse(value)));
  const segments = read.map((segment, index, all): PatternSegment => {
    const wildcard = scheme.wildcard(segment);
    if (wildcard === 'many' && index < all.length - 1) {
      throw new Rejected(`"${segment}" matches any rest and can only stand at the end, got "${text}"`);
    }
    return wildcard ? { type: wildcard } : { type: 'literal', value: segment };
  });
  return { scheme: scheme.scheme, segments };
}

function split(
  text: string,
  book: AddressBook,
  connection: ConnectionInfo | undefined,
): { scheme: AddressScheme; value: string } {
  const colon = text.indexOf(':');
  const name = colon > 0 ? text.slice(0, colon) : '';
  const named = book.scheme(name, connection?.adapter.type) ?? book.scheme(name);
  if (named) return { scheme: named, value: text.slice(colon + 1) };
  const own = connection?.adapter.addresses[0];
  if (own) return { scheme: own, value: text };
  throw new Rejected(`"${text}" is not an address: expected scheme:value, or a connection beside it`);
}
