import { type AddressPattern, type PatternSegment, Rejected } from '@magpie/contract';
import type { ConnectionInfo } from '@magpie/routing';

/** A pattern from a connection's native words, wildcards included. Throws `Rejected` naming the words it expected. */
export function patternOf(info: ConnectionInfo, words: Readonly<Record<string, string>>): AddressPattern {
  const scheme = info.adapter.addresses.find(({ words: known }) => known[0]! in words);
  if (!scheme) {
    const known = info.adapter.addresses.map((each) => each.words[0]).join(' or ');
    throw new Rejected(`expected ${known} for connection "${info.name}", got ${Object.keys(words).join(', ')}`);
  }
  const segments = scheme.splitPattern(words).map((segment): PatternSegment => {
    const wildcard = scheme.wildcard(segment);
    return wildcard ? { type: wildcard } : { type: 'literal', value: segment };
  });
  return { scheme: scheme.scheme, segments };
}
