import type { Position, StoredEvent } from '@magpie/bus';
import type { Event } from '@magpie/contract';
import { createTrie, type Trie } from '@magpie/routing';
import type { EventFilter } from '../gateway-api/index.ts';

/** Told, once, of the first event that fits: the position before it. Everything up to there does not fit. */
export type Heard = (before: Position | undefined) => void;

/**
 * Who waits for which new events: an event costs by those it wakes, not by all who wait. Synchronous and without I/O.
 */
export interface Audience {
  /** Waits for the first event after the present head of the log that passes a filter; the result ends the waiting. */
  wait(filter: EventFilter, heard: Heard): () => void;
  /** New events, in log order. Called after each commit. */
  push(events: readonly StoredEvent[]): void;
}

interface Listener {
  readonly kinds: EventFilter['kinds'];
  readonly heard: Heard;
  leave(): void;
}

/** Who listens to one connection, or to all of them. */
interface Corner {
  /** By address scheme. */
  readonly places: Map<string, Trie<Listener>>;
  readonly everywhere: Set<Listener>;
  count: number;
}

/** Makes the audience of a log that ends at `head`. */
export function createAudience(head: Position | undefined): Audience {
  /** By connection; undefined: whatever the connection. */
  const corners = new Map<string | undefined, Corner>();
  let last = head;

  const enter = ({ connection, pattern }: EventFilter, listener: Listener): void => {
    const corner = corners.get(connection) ?? { places: new Map(), everywhere: new Set(), count: 0 };
    corners.set(connection, corner);
    corner.count++;
    if (!pattern) return void corner.everywhere.add(listener);
    const trie = corner.places.get(pattern.scheme) ?? createTrie();
    corner.places.set(pattern.scheme, trie);
    trie.add(pattern.segments, listener);
  };
  const leave = ({ connection, pattern }: EventFilter, listener: Listener): void => {
    const corner = corners.get(connection);
    if (!corner) return;
    if (pattern) corner.places.get(pattern.scheme)?.remove(pattern.segments, listener);
    else corner.everywhere.delete(listener);
    if (--corner.count === 0) corners.delete(connection);
  };
  const wake = (corner: Corner | undefined, { address, kind }: Event): void => {
    if (!corner) return;
    const there = corner.places.get(address.scheme)?.find(address.segments) ?? [];
    for (const listener of [...corner.everywhere, ...there]) {
      if (listener.kinds && !listener.kinds.includes(kind)) continue;
      listener.leave();
      listener.heard(last);
    }
  };

  return {
    wait: (filter, heard) => {
      let waits = true;
      const listener: Listener = {
        kinds: filter.kinds,
        heard,
        leave: () => {
          if (waits) leave(filter, listener);
          waits = false;
        },
      };
      enter(filter, listener);
      return listener.leave;
    },
    push: (events) => {
      for (const { event, position } of events) {
        if (corners.size > 0) {
          wake(corners.get(event.source), event);
          wake(corners.get(undefined), event);
        }
        last = position;
      }
    },
  };
}
