import type { Event } from '@magpie/contract';
import type { Append, Appended, Position } from '../contract/index.ts';
import type { DedupeClock } from '../shared/dedupe-clock.ts';
import { type DedupeWindow, SAME_KEY_LIMIT } from '../shared/dedupe-window.ts';

/** What the window knows about an event that is to be appended: nothing, or the first event with its key. */
export type Known = { readonly type: 'duplicate' | 'mismatch'; readonly position: Position; readonly ref: string };

interface Entry {
  readonly key: string;
  readonly content: string;
  readonly at: number;
  readonly position: Position;
  readonly ref: string;
}

/** The dedupe window of the memory store. */
export interface MemoryDedupe {
  /** Judges an event at a time in log time; undefined when it is new. */
  check(append: Append, now: number): Known | undefined;
  /** Remembers a stored event. */
  add(append: Append, position: Position, now: number): void;
}

/** Makes an empty window of at most `count` entries, which age by a clock. */
export function createMemoryDedupe(
  { count }: Pick<DedupeWindow, 'count'>,
  clock: Pick<DedupeClock, 'lowest' | 'horizon'>,
): MemoryDedupe {
  const entries = new Set<Entry>();
  const byKey = new Map<string, Entry[]>();
  const first = (): Entry | undefined => entries.values().next().value;
  const forgetOldest = (): void => {
    const oldest = first();
    if (oldest === undefined) return;
    entries.delete(oldest);
    const rest = (byKey.get(oldest.key) ?? []).filter((entry) => entry !== oldest);
    if (rest.length === 0) byKey.delete(oldest.key);
    else byKey.set(oldest.key, rest);
  };
  const expire = (now: number): void => {
    const lowest = clock.lowest(now);
    while ((first()?.at ?? Number.POSITIVE_INFINITY) <= lowest) forgetOldest();
    while (entries.size > count) forgetOldest();
  };
  return {
    check: ({ event, content: more }, now) => {
      const { dedupeKey, source } = event;
      if (dedupeKey === undefined) return undefined;
      expire(now);
      const horizon = clock.horizon(source, now);
      const known = (byKey.get(dedupeKey) ?? []).filter(({ at }) => at > horizon);
      const content = contentOf(event, more);
      const same = known.find((entry) => entry.content === content);
      if (same !== undefined) return { type: 'duplicate', position: same.position, ref: same.ref };
      return known[0] && { type: 'mismatch', position: known[0].position, ref: known[0].ref };
    },
    add: ({ event, content }, position, now) => {
      const { dedupeKey, ref } = event;
      if (dedupeKey === undefined) return;
      const known = byKey.get(dedupeKey) ?? [];
      if (known.length >= SAME_KEY_LIMIT) return;
      const entry = { key: dedupeKey, content: contentOf(event, content), at: now, position, ref };
      entries.add(entry);
      byKey.set(dedupeKey, [...known, entry]);
      expire(now);
    },
  };
}

const contentOf = ({ address, body }: Event, more = ''): string =>
  `${JSON.stringify([address.scheme, address.segments, more])}\n${Buffer.from(body).toString('latin1')}`;

/** The verdict on an event whose key is known; undefined when it is to be appended anyway. */
export function verdictOn(known: Known | undefined, onMismatch: 'append' | 'refuse'): Appended | undefined {
  if (known === undefined || (known.type === 'mismatch' && onMismatch === 'append')) return undefined;
  const type = known.type === 'duplicate' ? 'duplicate' : 'refused';
  return { type, position: known.position, ref: known.ref };
}
