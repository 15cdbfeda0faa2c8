import type { DatabaseSync } from 'node:sqlite';
import { matchesFilter } from '../../shared/event-filter.ts';
import { bytesIn, numberIn, type Row } from '../file/columns.ts';
import { routingFieldsOf } from '../file/event-record.ts';
import { createEventSearch } from '../file/event-search.ts';
import type { ReaderCalls, SearchRequest, WireEvent, WireFound } from '../protocol/reader.ts';

/** What one slice of a search looks at: about 10 ms of work, after which other questions have their turn. */
const SLICE = { events: 2000, bytes: 4 * 1024 * 1024 } as const;

/** The questions about events. */
type EventReader = {
  readonly [Name in 'read' | 'search' | 'find' | 'positionBefore']: (
    question: ReaderCalls[Name]['question'],
  ) => ReaderCalls[Name]['answer'];
};

/** Prepares the questions about events. Called by the reader store; answers throw `LogFailed` for a damaged row. */
export function eventReader(db: DatabaseSync): EventReader {
  const search = createEventSearch(db);
  const forward = db.prepare('SELECT position, record FROM events WHERE position > ? ORDER BY position LIMIT ?');
  const backward = db.prepare('SELECT position, record FROM events WHERE position < ? ORDER BY position DESC LIMIT ?');
  const previous = db.prepare('SELECT position FROM events WHERE position < ? ORDER BY position DESC LIMIT 1');
  const one = db.prepare('SELECT position, record FROM events WHERE position = ?');
  const end = Number.MAX_SAFE_INTEGER;
  const firstAt = (time: number): number => search.first(({ received }) => received >= time)?.position ?? end;
  const rows = (from: number, back: boolean, limit: number): Iterable<Row> =>
    (back ? backward : forward).iterate(from, limit);
  return {
    read: ({ from, back, limit, maxBytes }) => upToBytes(rows(from, back, limit), maxBytes),
    search: (request) => {
      const most = Math.min(request.maxScan, SLICE.events);
      return searchIn(rows(request.from, request.back, most), most, request);
    },
    find: ({ ref }) => {
      const position = search.byRef(ref);
      const row = position === undefined ? undefined : one.get(position);
      return row && eventIn(row);
    },
    positionBefore: ({ time }) => {
      const row = previous.get(firstAt(time));
      return row && numberIn(row, 'position');
    },
  };
}

/** The first of some rows, up to a number of bytes beyond the first. */
function upToBytes(rows: Iterable<Row>, maxBytes: number): WireEvent[] {
  const events: WireEvent[] = [];
  let bytes = 0;
  for (const row of rows) {
    const event = eventIn(row);
    bytes += event.record.byteLength;
    if (events.length > 0 && bytes > maxBytes) break;
    events.push(event);
  }
  return events;
}

/** Judges one row after the other. `most` is how many rows there are at the most. */
function searchIn(rows: Iterable<Row>, most: number, { filter, limit, maxBytes, isFirst }: SearchRequest): WireFound {
  const events: WireEvent[] = [];
  let reached: number | undefined;
  let [bytes, looked, scanned] = [0, 0, 0];
  const found = (ended: WireFound['ended']): WireFound => ({ events, reached, scanned, ended });
  for (const row of rows) {
    const event = eventIn(row);
    if (passes(event, filter)) {
      bytes += event.record.byteLength;
      if (bytes > maxBytes && !(isFirst && events.length === 0)) return found('full');
      events.push(event);
    }
    reached = event.position;
    looked += event.record.byteLength;
    scanned++;
    if (events.length === limit) return found('full');
    if (looked > SLICE.bytes) return found('slice');
  }
  return found(scanned < most ? 'end' : 'slice');
}

/** An unreadable record passes: its decoder reports the damage. */
function passes({ record }: WireEvent, filter: SearchRequest['filter']): boolean {
  const fields = routingFieldsOf(record);
  return fields === undefined || matchesFilter(filter, fields);
}

const eventIn = (row: Row): WireEvent => ({
  position: numberIn(row, 'position'),
  record: ownBytes(bytesIn(row, 'record')),
});

/** Bytes with a buffer of their own, as a transfer needs. */
const ownBytes = (bytes: Uint8Array): Uint8Array<ArrayBuffer> => (isWhole(bytes) ? bytes : new Uint8Array(bytes));

const isWhole = (bytes: Uint8Array): bytes is Uint8Array<ArrayBuffer> =>
  bytes.buffer instanceof ArrayBuffer && bytes.buffer.byteLength === bytes.byteLength;
