import type { Clock } from '@magpie/contract';
import { type DeadLetter, type DeadLetterQuery, type EventLog, LogFailed, ORPHAN_PIN_MS } from '../contract.ts';
import type { DedupeClock } from '../shared/dedupe-clock.ts';
import type { Positions } from '../shared/positions.ts';
import { decodeOutcome } from './file/consumer-codec.ts';
import type { Lock } from './lock.ts';
import type { CommitQueue } from './main/commit-queue.ts';
import type { Decoder } from './main/decoder.ts';
import type { ReaderClient } from './main/reader-client.ts';
import type { WriterClient } from './main/writer-client.ts';
import type { WireEvent } from './messages/reader.ts';

/** What a SQLite log is made of. */
export interface StoredLogParts {
  readonly queue: CommitQueue;
  readonly writer: WriterClient;
  readonly reader: ReaderClient;
  readonly positions: Positions;
  readonly decoder: Decoder;
  readonly clock: Pick<Clock, 'now'>;
  readonly dedupeClock: DedupeClock;
  readonly lock: Lock;
  readonly space: EventLog['space'];
}

/** The event log contract over a writer and a reader thread. */
export function createStoredLog(parts: StoredLogParts): EventLog {
  const { queue, writer, reader, positions, decoder, clock, dedupeClock } = parts;
  let closing: Promise<void> | undefined;

  const decodeOne = (row: WireEvent | undefined) => (row === undefined ? undefined : decoder.events([row])[0]);
  /** Asks for pages until one has a sound record or there is nothing more. */
  const page = async (from: number, ask: (from: number) => Promise<readonly WireEvent[]>) => {
    for (let place = from; ; ) {
      const rows = await ask(place);
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
    read: async (after, limit) =>
      page(after === undefined ? 0 : positions.offset(after), (from) => reader.ask('read', { after: from, limit })),
    readBack: async (before, limit) =>
      page(before === undefined ? Number.MAX_SAFE_INTEGER : positions.offset(before), (from) =>
        reader.ask('readBack', { before: from, limit }),
      ),
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
    deadLetters: (query) => letters(query),
    deadLetter: async (id) => {
      const row = await reader.ask('deadLetter', { id });
      return row === undefined ? undefined : decoder.deadLetters([row])[0];
    },
    outcomes: async (ref) => (await reader.ask('outcomes', { ref })).map(decodeOutcome),
    retain: async ({ maxAge, maxBytes, floor }) => {
      if (closing !== undefined) throw new LogFailed('the log is closed');
      const pinned = floor === undefined ? undefined : positions.offset(floor);
      return writer.retain({ before: clock.now() - maxAge, maxBytes, floor: pinned, clock: dedupeClock.save() });
    },
    stats: async () => {
      const { oldest, ...sizes } = await reader.ask('stats', undefined);
      return { ...sizes, oldest: optional(oldest) };
    },
    space: parts.space,
    linked: dedupeClock.linked,
    close: () => (closing ??= closeInOrder(parts)),
  };
}

/** The reader's connection is closed last: SQLite then checkpoints and removes the write-ahead log. */
async function closeInOrder({ queue, writer, reader, dedupeClock, lock }: StoredLogParts): Promise<void> {
  await queue.drain();
  await writer.close(dedupeClock.save());
  await reader.close();
  lock.release();
}
