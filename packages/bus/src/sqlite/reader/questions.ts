import type { DatabaseSync } from 'node:sqlite';
import type { KnownConsumer } from '../../contract/index.ts';
import { bytesIn, numberIn, type Row, textIn } from '../file/columns.ts';
import { createEventSearch } from '../file/event-search.ts';
import type { ReaderCalls, WireStats } from '../protocol/reader.ts';
import { letterReader } from './dead-letters.ts';
import { eventReader } from './events.ts';

/** An implementation of every question over a database connection. */
export type ReaderStore = {
  readonly [Name in Exclude<keyof ReaderCalls, 'open' | 'close'>]: (
    question: ReaderCalls[Name]['question'],
  ) => ReaderCalls[Name]['answer'];
};

/** Prepares all questions. Called once by the reader thread; its answers throw `LogFailed` when a row is damaged. */
export function createReaderStore(db: DatabaseSync): ReaderStore {
  return {
    ...eventReader(db),
    ...stateReader(db),
    ...letterReader(db),
    ...outcomeReader(db),
    ...valueReader(db),
    stats: statsReader(db),
    ...maintenance(db),
  };
}

function stateReader(db: DatabaseSync): Pick<ReaderStore, 'state' | 'lowestFloor' | 'orphans'> {
  const matchedRow = db.prepare("SELECT value FROM meta WHERE name = 'matched'");
  const consumers = db.prepare('SELECT * FROM consumers ORDER BY consumer');
  const floors = db.prepare('SELECT * FROM floors ORDER BY consumer');
  const exceptions = db.prepare('SELECT * FROM exceptions ORDER BY consumer, position');
  // One query per consumer with dead letters, however many of those it has.
  const letters = db.prepare(
    `WITH RECURSIVE owners(consumer) AS (
       SELECT min(consumer) FROM dead_letters UNION ALL
       SELECT (SELECT min(consumer) FROM dead_letters WHERE consumer > owners.consumer)
       FROM owners WHERE owners.consumer IS NOT NULL)
     SELECT letter.consumer, letter.position FROM owners LEFT JOIN floors USING (consumer)
       CROSS JOIN dead_letters AS letter ON letter.consumer = owners.consumer
       WHERE letter.position > coalesce(floors.floor, ?, 0)
     UNION
     SELECT letter.consumer, letter.position FROM exceptions
       CROSS JOIN dead_letters AS letter USING (consumer, position)`,
  );
  const orphans = db.prepare(
    `SELECT consumer, orphaned, EXISTS (SELECT 1 FROM floors WHERE floors.consumer = consumers.consumer)
       OR EXISTS (SELECT 1 FROM exceptions WHERE exceptions.consumer = consumers.consumer) AS backlog
     FROM consumers WHERE orphaned IS NOT NULL ORDER BY consumer`,
  );
  const lowest = db.prepare(
    `SELECT min(floor) AS floor FROM floors LEFT JOIN consumers USING (consumer)
     WHERE orphaned IS NULL OR orphaned > ?`,
  );
  const matched = (): number | undefined => {
    const row = matchedRow.get();
    return row && numberIn(row, 'value');
  };
  return {
    state: () => ({
      matched: matched(),
      consumers: consumers.all().map(consumerIn),
      floors: floors.all().map((row) => ({
        consumer: textIn(row, 'consumer'),
        floor: numberIn(row, 'floor'),
        waiting: row.waiting === null ? null : numberIn(row, 'waiting'),
      })),
      exceptions: exceptions.all().map((row) => ({
        consumer: textIn(row, 'consumer'),
        position: numberIn(row, 'position'),
        detail: textIn(row, 'detail'),
        record: bytesIn(row, 'record'),
      })),
      letters: letters.all(matched() ?? null).map((row) => ({
        consumer: textIn(row, 'consumer'),
        position: numberIn(row, 'position'),
      })),
    }),
    orphans: () =>
      orphans.all().map((row) => ({
        consumer: textIn(row, 'consumer'),
        orphanedAt: numberIn(row, 'orphaned'),
        backlog: row.backlog === 1,
      })),
    lowestFloor: ({ orphanedBefore }) => {
      const last = matched();
      const row = lowest.get(orphanedBefore);
      return last === undefined || row === undefined || row.floor === null
        ? last
        : Math.min(last, numberIn(row, 'floor'));
    },
  };
}

const consumerIn = (row: Row): KnownConsumer & { readonly consumer: string } => ({
  consumer: textIn(row, 'consumer'),
  since: numberIn(row, 'since'),
  ...(row.orphaned === null ? {} : { orphanedAt: numberIn(row, 'orphaned') }),
});

function outcomeReader(db: DatabaseSync): Pick<ReaderStore, 'outcomes'> {
  const outcomes = db.prepare('SELECT * FROM outcomes WHERE ref = ? ORDER BY consumer');
  return {
    outcomes: ({ ref }) =>
      outcomes.all(ref).map((row) => ({
        ref: textIn(row, 'ref'),
        consumer: textIn(row, 'consumer'),
        at: numberIn(row, 'at'),
        detail: textIn(row, 'detail'),
      })),
  };
}

function valueReader(db: DatabaseSync): Pick<ReaderStore, 'values'> {
  const values = db.prepare('SELECT key, value FROM connection_values WHERE connection = ? ORDER BY key');
  return {
    values: ({ connection }) =>
      values.all(connection).map((row) => [textIn(row, 'key'), textIn(row, 'value')] as const),
  };
}

function statsReader(db: DatabaseSync): () => WireStats {
  const search = createEventSearch(db);
  const letters = db.prepare('SELECT count(*) AS letters FROM dead_letters');
  return () => {
    const deadLetters = numberIn(letters.get() ?? {}, 'letters');
    const [oldest, newest] = [search.oldest(), search.newest()];
    if (oldest === undefined || newest === undefined) return { events: 0, bytes: 0, deadLetters, oldest: undefined };
    // Rows have no gaps: they are numbered one by one and removed from the oldest on.
    const events = newest.position - oldest.position + 1;
    return { events, bytes: newest.total - search.totalBefore(oldest), deadLetters, oldest: oldest.position };
  };
}

function maintenance(db: DatabaseSync): Pick<ReaderStore, 'checkpoint'> {
  return {
    checkpoint: () => {
      db.exec('PRAGMA wal_checkpoint(PASSIVE)');
      return undefined;
    },
  };
}
