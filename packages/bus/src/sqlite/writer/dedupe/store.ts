import { createHash, hash } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { lowestSaved, type SavedClock } from '../../../shared/dedupe-clock.ts';
import type { DedupeWindow } from '../../../shared/dedupe-window.ts';
import { bytesIn, numberIn, textIn } from '../../file/columns.ts';
import type { BatchTime, KeyedAppend } from '../../protocol/writer.ts';
import { createDedupeIndex, mayRemember } from './index-in-memory.ts';
import { entriesIn, forEachEntry, packEntries, refInPack, type StoredEntry } from './pack.ts';
import type { DedupeEntry, DedupeFound, DedupeHash, DedupeUnknown } from './ring.ts';

/** Rows of single commits that are merged into one, so that loading the window reads few rows. */
const MERGE_ROWS = 256;

/** What the window says about a keyed append. */
export interface DedupeVerdict {
  readonly hash: DedupeHash;
  readonly found: DedupeFound | DedupeUnknown;
}

/** The dedupe window of the SQLite store: the index in memory, and packed rows written in the events' transaction. */
export interface DedupeStore {
  judge(append: KeyedAppend, body: Uint8Array, now: BatchTime): DedupeVerdict;
  remember(verdict: DedupeVerdict, ref: string, position: number, now: BatchTime): void;
  /** The ref of a remembered event, kept even when the event is no longer. */
  refOf(position: number): string;
  /** Writes what was remembered since the last transaction; called just before COMMIT. */
  flush(): void;
  committed(): void;
  rolledBack(): void;
}

/**
 * Loads what lies in the window at the time a clock was saved. Called by the writer thread when it opens the log.
 * Throws `LogFailed` when a row is damaged.
 */
export function createDedupeStore(
  db: DatabaseSync,
  salt: string,
  window: DedupeWindow,
  clock: SavedClock,
): DedupeStore {
  const index = createDedupeIndex(window);
  const rows = dedupeRows(db);
  const lowest = lowestSaved(clock, window.windowMs);
  // An entry with a future time, from before log time was introduced, must not keep later ones beyond the window.
  const restored = (entry: DedupeEntry): DedupeEntry => ({ ...entry, at: Math.min(entry.at, clock.at) });
  let loose = rows.load((entry) => entry.at > lowest && index.add(restored(entry)));
  let looseAfterCommit = loose;
  let fresh: StoredEntry[] = [];
  let mark = index.mark();

  const merge = (): void => {
    const packed = Buffer.concat([...loose.map(rows.read), packEntries(fresh)]);
    rows.remove(loose);
    rows.removeBefore(index.oldest() ?? Number.MAX_SAFE_INTEGER);
    rows.insert(loose[0]!, fresh.at(-1)!.position, packed);
    looseAfterCommit = [];
  };
  return {
    judge: (append, body, { lowest }) => {
      const hashed = hashOf(salt, append, body);
      return { hash: hashed, found: index.find(hashed, append.after, lowest) };
    },
    remember: ({ hash: hashed, found }, ref, position, { at }) => {
      if (!mayRemember(found)) return;
      index.add({ ...hashed, position, at });
      fresh.push({ ...hashed, position, at, ref });
    },
    refOf: (position) => fresh.find((entry) => entry.position === position)?.ref ?? rows.refOf(position),
    flush: () => {
      looseAfterCommit = loose;
      if (fresh.length === 0) return;
      if (loose.length >= MERGE_ROWS) return merge();
      rows.insert(fresh[0]!.position, fresh.at(-1)!.position, packEntries(fresh));
      if (fresh.length < MERGE_ROWS) looseAfterCommit = [...loose, fresh[0]!.position];
    },
    committed: () => {
      [loose, fresh, mark] = [looseAfterCommit, [], index.mark()];
    },
    rolledBack: () => {
      index.rewind(mark);
      fresh = [];
    },
  };
}

/** The saved clock; without one the earliest possible, which is not before the newest entry. */
export function savedClock(db: DatabaseSync, now: number): SavedClock {
  const row = db.prepare("SELECT value FROM meta WHERE name = 'dedupeClock'").get();
  const saved: SavedClock | undefined = row && JSON.parse(textIn(row, 'value'));
  const newest = db.prepare('SELECT packed FROM dedupe ORDER BY first DESC LIMIT 1').get();
  const times: number[] = saved ? [saved.at] : [];
  if (newest) forEachEntry(bytesIn(newest, 'packed'), ({ at }) => times.push(at));
  return {
    at: times.length === 0 ? now : Math.max(...times),
    outages: saved?.outages ?? {},
    ...(saved?.ages ? { ages: saved.ages } : {}),
  };
}

/** Saves a clock, inside the caller's transaction. */
export function saveClock(db: DatabaseSync, clock: SavedClock): void {
  db.prepare("INSERT OR REPLACE INTO meta VALUES ('dedupeClock', ?)").run(JSON.stringify(clock));
}

/** Statements over the table of packed rows. */
function dedupeRows(db: DatabaseSync) {
  const insert = db.prepare('INSERT INTO dedupe VALUES (?, ?, ?)');
  const select = db.prepare('SELECT packed FROM dedupe WHERE first = ?');
  const selectAt = db.prepare('SELECT packed FROM dedupe WHERE first <= ? ORDER BY first DESC LIMIT 1');
  const remove = db.prepare('DELETE FROM dedupe WHERE first = ?');
  const removeBefore = db.prepare('DELETE FROM dedupe WHERE first < ? AND last < ?');
  return {
    insert: (first: number, last: number, packed: Uint8Array): void => void insert.run(first, last, packed),
    read: (first: number): Uint8Array => bytesIn(select.get(first) ?? {}, 'packed'),
    refOf: (position: number): string => {
      const row = selectAt.get(position);
      return (row && refInPack(bytesIn(row, 'packed'), position)) ?? '';
    },
    remove: (firsts: readonly number[]): void => {
      for (const first of firsts) remove.run(first);
    },
    removeBefore: (position: number): void => void removeBefore.run(position, position),
    /** Visits every stored entry; returns the small rows still to be merged. */
    load: (visit: (entry: Parameters<Parameters<typeof forEachEntry>[1]>[0]) => void): number[] => {
      const small: number[] = [];
      for (const row of db.prepare('SELECT first, packed FROM dedupe ORDER BY first').iterate()) {
        const packed = bytesIn(row, 'packed');
        forEachEntry(packed, visit);
        if (entriesIn(packed) < MERGE_ROWS) small.push(numberIn(row, 'first'));
        else small.length = 0;
      }
      return small;
    },
  };
}

/** Salted, so that nobody outside can prepare two keys or contents with equal hashes. */
function hashOf(salt: string, { key, place }: KeyedAppend, body: Uint8Array): DedupeHash {
  const keyHash = hash('sha256', `${salt}\n${key}`, 'buffer');
  const content = createHash('sha256').update(`${salt}\n${place}\n`).update(body).digest();
  return {
    keyHigh: keyHash.readUInt32LE(0),
    keyLow: keyHash.readUInt32LE(4),
    contentHigh: content.readUInt32LE(0),
    contentLow: content.readUInt32LE(4),
  };
}
