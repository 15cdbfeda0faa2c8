import type { Event } from '@magpie/contract';
import { type EventQuery, type EventsFound, type Position, READ_BYTES, type StoredEvent } from '../contract/index.ts';
import { matchesFilter } from '../shared/event-filter.ts';
import type { Positions } from '../shared/positions.ts';

/** What an event counts besides its body, in bytes; the memory store does not serialize, so this is an estimate. */
const EVENT_OVERHEAD = 256;

/** The events of the memory store, oldest first, without gaps. */
export interface MemoryEvents {
  /** Appends; clamps `receivedAt` so that it never goes back. */
  add(event: Event): Position;
  after(place: Position | undefined, limit: number, maxBytes: number | undefined): readonly StoredEvent[];
  before(place: Position | undefined, limit: number, maxBytes: number | undefined): readonly StoredEvent[];
  search(query: EventQuery): EventsFound;
  find(ref: string): StoredEvent | undefined;
  head(): Position | undefined;
  oldest(): StoredEvent | undefined;
  positionBefore(time: number): Position | undefined;
  /** Removes from the oldest on what was received before `time` or is beyond `maxBytes`, up to `floor`. */
  trim(time: number, maxBytes: number, floor: Position | undefined): number;
  size(): { readonly events: number; readonly bytes: number };
}

/** Makes an empty list whose first event stands at offset 1. */
export function createMemoryEvents(positions: Positions): MemoryEvents {
  const events: StoredEvent[] = [];
  let next = 1;
  let bytes = 0;
  let lastReceived = Number.NEGATIVE_INFINITY;

  const indexAfter = (place: Position, shift = 0): number =>
    Math.min(events.length, Math.max(0, positions.offset(place) + 1 + shift - (next - events.length)));
  const firstAfter = (place: Position | undefined): number => (place === undefined ? 0 : indexAfter(place));
  const firstNotBefore = (place: Position | undefined): number =>
    place === undefined ? events.length : indexAfter(place, -1);
  const countBelow = (time: number): number => {
    const index = events.findIndex(({ event }) => event.receivedAt >= time);
    return index < 0 ? events.length : index;
  };
  const countBeyond = (maxBytes: number): number => {
    let excess = bytes - maxBytes;
    let count = 0;
    for (; excess > 0 && count < events.length; count++) excess -= sizeOf(events[count]!.event);
    return count;
  };
  return {
    add: (event) => {
      lastReceived = Math.max(lastReceived, event.receivedAt);
      const kept = event.receivedAt === lastReceived ? event : { ...event, receivedAt: lastReceived };
      const position = positions.of(next++);
      events.push({ position, event: kept });
      bytes += sizeOf(event);
      return position;
    },
    after: (place, limit, maxBytes) => {
      const start = firstAfter(place);
      return withinBytes(events.slice(start, start + limit), maxBytes);
    },
    before: (place, limit, maxBytes) => {
      const end = firstNotBefore(place);
      return withinBytes(events.slice(Math.max(0, end - limit), end).toReversed(), maxBytes);
    },
    search: (query) => {
      const { from, back } = query;
      return searchIn(
        back ? events.slice(0, firstNotBefore(from)).toReversed() : events.slice(firstAfter(from)),
        query,
      );
    },
    find: (ref) => events.findLast(({ event }) => event.ref === ref),
    head: () => (next === 1 ? undefined : positions.of(next - 1)),
    oldest: () => events[0],
    positionBefore: (time) => events[countBelow(time) - 1]?.position,
    trim: (time, maxBytes, floor) => {
      const settled = floor === undefined ? events.length : indexAfter(floor);
      const count = Math.min(settled, Math.max(countBelow(time), countBeyond(maxBytes)));
      for (const { event } of events.splice(0, count)) bytes -= sizeOf(event);
      return count;
    },
    size: () => ({ events: events.length, bytes }),
  };
}

/** The first events of a list, up to a number of bytes beyond the first. */
function withinBytes(events: readonly StoredEvent[], maxBytes = READ_BYTES): readonly StoredEvent[] {
  let bytes = 0;
  const end = events.findIndex(({ event }) => {
    bytes += sizeOf(event);
    return bytes > maxBytes;
  });
  return end < 0 ? events : events.slice(0, Math.max(1, end));
}

function searchIn(
  candidates: readonly StoredEvent[],
  { filter, limit, maxBytes = READ_BYTES, maxScan = Number.POSITIVE_INFINITY }: EventQuery,
): EventsFound {
  const events: StoredEvent[] = [];
  let bytes = 0;
  let scanned = 0;
  const found = (isEnd: boolean): EventsFound => ({
    ...{ events, scanned, isEnd },
    reached: candidates[scanned - 1]?.position,
  });
  for (const stored of candidates) {
    if (scanned >= maxScan || events.length >= limit) return found(false);
    if (matchesFilter(filter, stored.event)) {
      bytes += sizeOf(stored.event);
      if (events.length > 0 && bytes > maxBytes) return found(false);
      events.push(stored);
    }
    scanned++;
  }
  return found(scanned < maxScan && events.length < limit);
}

const sizeOf = (event: Event): number => event.body.byteLength + EVENT_OVERHEAD;
