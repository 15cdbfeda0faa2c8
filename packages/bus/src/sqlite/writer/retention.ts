import type { DatabaseSync } from 'node:sqlite';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { numberIn } from '../file/columns.ts';
import { pageBytes } from '../file/database.ts';
import type { EventSearch } from '../file/event-search.ts';
import type { RetainRequest } from '../protocol/writer.ts';
import { saveClock } from './dedupe/store.ts';
import type { WriterStore } from './writer-store.ts';

/** Limits of one transaction of a retention run, so that commits are never held up for long. */
const CHUNK = { events: 2000, bytes: 32 * 1024 * 1024, outcomes: 2000, freed: 1024 * 1024 } as const;
/** Free room kept for reuse before the file is shrunk: bytes, or a share of the file when that is more. */
const KEPT_FREE = { bytes: 16 * 1024 * 1024, share: 0.25 } as const;

/** What a retention run did; `error` when it ended early. */
export interface RetentionRun {
  readonly removed: number;
  readonly error?: unknown;
}

/** Removes old events, and outcomes of removed events, in small transactions. Used by the writer thread. */
export interface Retention {
  /**
   * Applies the limits, letting commits run after every chunk. Ends early once `stopped` returns true; while `tight` returns
   * true, all freed space goes back to the file system instead of being kept for reuse. Never rejects.
   */
  run(limits: RetainRequest, stopped: () => boolean, tight: () => boolean): Promise<RetentionRun>;
}

/** Prepares retention. Called once by the writer thread; a run is asked for once a minute and when the disk is full. */
export function createRetention(db: DatabaseSync, store: WriterStore, search: EventSearch): Retention {
  const removeEvents = db.prepare('DELETE FROM events WHERE position <= ?');
  const removeOutcomes = db.prepare(
    'DELETE FROM outcomes WHERE rowid IN (SELECT rowid FROM outcomes ORDER BY rowid LIMIT ?) AND at < ?',
  );
  const pragma = (name: string): number => numberIn(db.prepare(`PRAGMA ${name}`).get() ?? {}, name);
  const eventsChunk = (limits: RetainRequest): number => {
    const until = lastToRemove(search, limits, store.end().total);
    return until === undefined ? 0 : store.transaction(() => Number(removeEvents.run(until).changes));
  };
  const outcomesChunk = ({ before, clock }: RetainRequest): number => {
    const cutoff = search.oldest()?.received ?? before;
    return store.transaction(() => {
      saveClock(db, clock);
      return Number(removeOutcomes.run(CHUNK.outcomes, cutoff).changes);
    });
  };
  const page = pageBytes(db);
  const surplusPages = (tight: boolean): number =>
    pragma('freelist_count') - (tight ? 0 : Math.max(KEPT_FREE.bytes / page, pragma('page_count') * KEPT_FREE.share));
  /** Moves the write-ahead log into the database and cuts both to what they need. */
  const truncate = (tight: boolean): void => {
    if (tight) db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  };
  return {
    run: async (limits, stopped, tight) => {
      let removed = 0;
      try {
        truncate(tight());
        for (let chunk = eventsChunk(limits); chunk > 0; chunk = stopped() ? 0 : eventsChunk(limits)) {
          removed += chunk;
          await nextTurn();
        }
        while (!stopped() && outcomesChunk(limits) === CHUNK.outcomes) await nextTurn();
        for (; !stopped() && surplusPages(tight()) > 0; await nextTurn()) {
          db.exec(`PRAGMA incremental_vacuum(${Math.ceil(CHUNK.freed / page)})`);
          truncate(tight());
        }
        return { removed };
      } catch (error) {
        return { removed, error };
      }
    },
  };
}

/** The last event of the next chunk to remove; undefined when nothing may go. */
function lastToRemove(search: EventSearch, limits: RetainRequest, total: number): number | undefined {
  const oldest = search.oldest();
  if (oldest === undefined) return undefined;
  const end = Number.MAX_SAFE_INTEGER;
  const byAge = (search.first(({ received }) => received >= limits.before)?.position ?? end) - 1;
  const start = search.totalBefore(oldest);
  const bySize =
    total - start > limits.maxBytes
      ? (search.first((head) => total - head.total <= limits.maxBytes)?.position ?? end)
      : 0;
  const byChunk = search.first((head) => head.total - start > CHUNK.bytes)?.position ?? end;
  const until = Math.min(Math.max(byAge, bySize), limits.floor ?? end, byChunk, oldest.position + CHUNK.events - 1);
  return until < oldest.position ? undefined : until;
}
