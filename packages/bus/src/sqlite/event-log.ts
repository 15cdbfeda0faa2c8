import { existsSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import type { Clock } from '@magpie/contract';
import {
  type DeadLetter,
  type DeadLetterQuery,
  type EventLog,
  type EventQuery,
  type EventsFound,
  LogFailed,
  ORPHAN_PIN_MS,
  type Position,
  READ_BYTES,
  type StoredEvent,
} from '../contract/index.ts';
import type { DedupeClock, SavedClock } from '../shared/dedupe-clock.ts';
import type { EventAges } from '../shared/event-ages.ts';
import type { Positions } from '../shared/positions.ts';
import type { DirectoryLock } from './directory/directory-lock.ts';
import type { DirectoryFiles } from './directory/files.ts';
import { writeMarker } from './directory/marker.ts';
import { decodeOutcome } from './file/consumer-codec.ts';
import type { CommitQueue } from './main/commit-queue.ts';
import type { Decoder } from './main/decoder.ts';
import type { ReaderClient } from './main/reader-client.ts';
import type { WriterClient } from './main/writer-client.ts';
import type { PageRequest, WireEvent } from './protocol/reader.ts';

/** What a SQLite log is made of. */
export interface StoredLogParts {
  readonly queue: CommitQueue;
  readonly writer: WriterClient;
  readonly reader: ReaderClient;
  readonly positions: Positions;
  readonly decoder: Decoder;
  readonly clock: Pick<Clock, 'now'>;
  readonly dedupeClock: DedupeClock;
  readonly ages: EventAges;
  readonly lock: DirectoryLock;
  readonly files: DirectoryFiles;
  readonly epoch: string;
  /** See `openLastConnection`. */
  readonly lastConnection: DatabaseSync;
  /** Why the log has failed; undefined while it has not. */
  hasFailed(): Error | undefined;
  readonly space: EventLog['space'];
  readonly alarms: EventLog['alarms'];
}

/** The event log contract over a writer and a reader thread. */
export function createStoredLog(parts: StoredLogParts): EventLog {
  const { queue, writer, reader, positions, decoder, clock, dedupeClock } = parts;
  let closing: Promise<void> | undefined;

  const decodeOne = (row: WireEvent | undefined) => (row === undefined ? undefined : decoder.events([row])[0]);
  /** Asks for pages until one has a sound record or there is nothing more. */
  const page = async (request: PageRequest): Promise<readonly StoredEvent[]> => {
    for (let place = request.from; ; ) {
      const rows = await reader.ask('read', { ...request, from: place });
      const events = decoder.events(rows);
      const last = rows.at(-1);
      if (events.length > 0 || last === undefined) return events;
      place = last.position;
    }
  };
  /** The same for dead letters: a page of nothing but damaged records is not the end. */
  const letters = async (query: DeadLetterQuery): Promise<readonly DeadLetter[]> => {
    for (let after = query.after; ; ) {
      const rows = await reader.ask('deadLetters', { ...query, ...(after === undefined ? {} : { after }) });
      const sound = decoder.deadLetters(rows);
      const last = rows.at(-1);
      if (sound.length > 0 || last === undefined) return sound;
      after = last.id;
    }
  };
  const optional = (row: number | undefined) => (row === undefined ? undefined : positions.of(row));
  return {
    commit: queue.commit,
    read: async (after, limit, maxBytes = READ_BYTES) =>
      page({ from: startOf(positions, after, false), back: false, limit, maxBytes }),
    readBack: async (before, limit, maxBytes = READ_BYTES) =>
      page({ from: startOf(positions, before, true), back: true, limit, maxBytes }),
    search: (query) => search(parts, query),
    find: async (ref) => decodeOne(await reader.ask('find', { ref })),
    head: () => (queue.head() === 0 ? undefined : positions.of(queue.head())),
    positionBefore: async (time) => optional(await reader.ask('positionBefore', { time })),
    parsePosition: positions.parse,
    lowestFloor: async () => {
      if (queue.head() === 0) return undefined;
      const row = await reader.ask('lowestFloor', { orphanedBefore: clock.now() - ORPHAN_PIN_MS });
      return positions.of(row ?? 0);
    },
    state: async () => decoder.state(await reader.ask('state', undefined)),
    orphans: async () => reader.ask('orphans', undefined),
    values: async (connection) => new Map(await reader.ask('values', { connection })),
    deadLetters: (query) => letters(query),
    deadLetter: async (id) => {
      const row = await reader.ask('deadLetter', { id });
      return row === undefined ? undefined : decoder.deadLetters([row])[0];
    },
    outcomes: async (ref) => (await reader.ask('outcomes', { ref })).map(decodeOutcome),
    retain: async ({ maxAge, maxBytes, floor }) => {
      if (closing !== undefined) throw new LogFailed('the log is closed');
      const pinned = floor === undefined ? undefined : positions.offset(floor);
      return writer.retain({ before: clock.now() - maxAge, maxBytes, floor: pinned, clock: savedClock(parts) });
    },
    stats: async () => {
      const { oldest, ...sizes } = await reader.ask('stats', undefined);
      return { ...sizes, oldest: optional(oldest) };
    },
    space: parts.space,
    alarms: parts.alarms,
    linked: dedupeClock.linked,
    ageOf: parts.ages.of,
    close: () => (closing ??= closeInOrder(parts)),
  };
}

const savedClock = ({ dedupeClock, ages }: StoredLogParts): SavedClock => ({
  ...dedupeClock.save(),
  ages: ages.save(),
});

/** The row that a read starts at, exclusive. Throws `RangeError` for a position of another log. */
function startOf(positions: Positions, from: Position | undefined, back: boolean): number {
  if (from !== undefined) return positions.offset(from);
  return back ? Number.MAX_SAFE_INTEGER : 0;
}

/** Searches slice by slice: between two slices the reader thread answers other questions. */
async function search({ reader, positions, decoder }: StoredLogParts, query: EventQuery): Promise<EventsFound> {
  const { filter, back = false, limit, maxBytes = READ_BYTES, maxScan = Number.MAX_SAFE_INTEGER } = query;
  const events: StoredEvent[] = [];
  let from = startOf(positions, query.from, back);
  let scanned = 0;
  let bytes = 0;
  let reached: Position | undefined;
  for (;;) {
    const slice = await reader.ask('search', {
      ...{ from, back, filter },
      limit: limit - events.length,
      maxBytes: maxBytes - bytes,
      maxScan: maxScan - scanned,
      isFirst: events.length === 0,
    });
    events.push(...decoder.events(slice.events));
    scanned += slice.scanned;
    for (const { record } of slice.events) bytes += record.byteLength;
    if (slice.reached !== undefined) {
      from = slice.reached;
      reached = positions.of(from);
    }
    // A slice that is full of damaged records has found nothing.
    const isFull = slice.ended === 'full' && events.length > 0;
    if (slice.ended === 'end' || isFull || scanned >= maxScan) {
      return { events, reached, scanned, isEnd: slice.ended === 'end' };
    }
  }
}

/**
 * Closes the last connection last. A log that has failed keeps it, and its lock, until the process ends: to close it would
 * remove the write-ahead log at its path, which may belong to another process by then.
 */
async function closeInOrder(parts: StoredLogParts): Promise<void> {
  const { queue, writer, reader, lock, files, epoch, lastConnection } = parts;
  await queue.drain();
  await reader.close();
  const isMerged = await writer.close(savedClock(parts));
  if (parts.hasFailed()) return;
  lastConnection.close();
  // It could not be merged before, and could be now.
  if (!isMerged && !existsSync(files.wal)) writeMarker(files, { epoch, needsWal: false });
  lock.release();
}
