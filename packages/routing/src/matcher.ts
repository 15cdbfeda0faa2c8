import type { AddressPattern, Event } from '@magpie/contract';
import { createTrie, type Trie } from './address/trie.ts';

/** Finds what listens to the place an event came from. */
export interface Matcher<T> {
  /** Entries whose pattern the event's address lies in, in the order they were given. */
  find(event: Pick<Event, 'source' | 'address'>): readonly T[];
  /** Entries of a connection whose pattern has an address in common with this one. */
  overlapping(connection: string, pattern: AddressPattern): readonly T[];
}

/** A value with the connection and pattern it is found by. */
export interface MatcherEntry<T> {
  readonly connection: string;
  readonly pattern: AddressPattern;
  readonly value: T;
}

const NOTHING: readonly never[] = [];

/** One trie per connection and scheme. */
export function createMatcher<T>(entries: Iterable<MatcherEntry<T>>): Matcher<T> {
  const connections = new Map<string, Map<string, Trie<{ readonly index: number; readonly value: T }>>>();
  let count = 0;
  for (const { connection, pattern, value } of entries) {
    const schemes = connections.get(connection) ?? new Map();
    connections.set(connection, schemes);
    const trie = schemes.get(pattern.scheme) ?? createTrie();
    schemes.set(pattern.scheme, trie);
    trie.add(pattern.segments, { index: count++, value });
  }
  const trieOf = (connection: string, scheme: string) => connections.get(connection)?.get(scheme);
  return {
    find: ({ source, address }) => inOrder(trieOf(source, address.scheme)?.find(address.segments) ?? []),
    overlapping: (connection, pattern) =>
      inOrder(trieOf(connection, pattern.scheme)?.overlapping(pattern.segments) ?? []),
  };
}

function inOrder<T>(found: { readonly index: number; readonly value: T }[]): readonly T[] {
  if (found.length === 0) return NOTHING;
  if (found.length > 1) found.sort((a, b) => a.index - b.index);
  return found.map(({ value }) => value);
}
