import type { DatabaseSync } from 'node:sqlite';
import type { DedupeStore } from './dedupe-store.ts';
import type { EventSearch } from './event-search.ts';
import type { KeyedAppend, SpecialVerdict, WireBatch, WireCommit, WireResult } from './messages.ts';
import { bodyOfRecord, sealRecord } from './record.ts';
import { numberIn } from './rows.ts';
import { createStateWriter } from './state-writer.ts';

/** Where the log ends: what the next append needs to know. */
export interface LogEnd {
  readonly next: number;
  readonly total: number;
  readonly lastReceived: number;
}

/** Writes commits in transactions. Used by the writer thread only. */
export interface WriterStore {
  end(): LogEnd;
  /** Writes the commits of a batch with these indexes in one transaction. Throws with nothing written. */
  write(batch: WireBatch, commits: readonly number[]): WireResult[];
  /** Runs other changes in one transaction; `end` is stored with them, so that it survives an emptied log. */
  transaction<T>(work: () => T): T;
}

export function createWriterStore(db: DatabaseSync, dedupe: DedupeStore, search: EventSearch): WriterStore {
  const insert = db.prepare('INSERT INTO events VALUES (?, ?, ?, ?)');
  const state = createStateWriter(db);
  const saveEnd = db.prepare('UPDATE meta SET value = ? WHERE name = ?');
  let end = readEnd(db, search);

  const append = (record: Uint8Array, received: number): number => {
    sealRecord(record);
    const { next } = end;
    end = { next: next + 1, total: end.total + record.byteLength, lastReceived: received };
    insert.run(next, received, end.total, record);
    return next;
  };
  const appendKeyed = (
    keyed: KeyedAppend,
    record: Uint8Array,
    received: number,
    now: number,
  ): SpecialVerdict | undefined => {
    const verdict = dedupe.judge(keyed, bodyOfRecord(record), now);
    const { found } = verdict;
    const { index } = keyed;
    if (found !== undefined && (found.type === 'duplicate' || keyed.refuse)) {
      const type = found.type === 'duplicate' ? 'duplicate' : 'refused';
      return { index, type, position: found.position, ref: dedupe.refOf(found.position) };
    }
    const position = append(record, received);
    dedupe.remember(verdict, keyed.ref, position, now);
    return found && { index, type: 'mismatch', position, ref: keyed.ref };
  };
  const applyCommit = (batch: WireBatch, commit: WireCommit, start: number): WireResult => {
    const first = end.next;
    const specials: SpecialVerdict[] = [];
    let nextKeyed = 0;
    for (let index = 0; index < commit.appends; index++) {
      const at = start + index;
      const from = at === 0 ? 0 : batch.ends[at - 1]!;
      const record = new Uint8Array(batch.records, from, batch.ends[at]! - from);
      const keyed = commit.keyed[nextKeyed];
      if (keyed?.index !== index) append(record, batch.received[at]!);
      else {
        nextKeyed++;
        const special = appendKeyed(keyed, record, batch.received[at]!, batch.now);
        if (special !== undefined) specials.push(special);
      }
    }
    if (commit.changes !== undefined) state.apply(commit.changes);
    return { type: 'done', first, specials };
  };
  const transaction = <T>(work: () => T): T => {
    const before = end;
    db.exec('BEGIN IMMEDIATE');
    try {
      const result = work();
      dedupe.flush();
      db.exec('COMMIT');
      dedupe.committed();
      return result;
    } catch (error) {
      end = before;
      dedupe.rolledBack();
      if (db.isTransaction) db.exec('ROLLBACK');
      throw error;
    }
  };
  return {
    end: () => end,
    write: (batch, commits) => {
      const starts = startsOf(batch.commits);
      return transaction(() => commits.map((index) => applyCommit(batch, batch.commits[index]!, starts[index]!)));
    },
    transaction: (work) =>
      transaction(() => {
        const result = work();
        for (const [name, value] of Object.entries(end)) saveEnd.run(value, name);
        return result;
      }),
  };
}

/** Index of each commit's first record. */
function startsOf(commits: readonly WireCommit[]): number[] {
  let start = 0;
  return commits.map(({ appends }) => {
    start += appends;
    return start - appends;
  });
}

function readEnd(db: DatabaseSync, search: EventSearch): LogEnd {
  const select = db.prepare('SELECT value FROM meta WHERE name = ?');
  const saved = (name: keyof LogEnd): number => numberIn(select.get(name) ?? {}, 'value');
  const newest = search.newest();
  return newest === undefined
    ? { next: saved('next'), total: saved('total'), lastReceived: saved('lastReceived') }
    : { next: newest.position + 1, total: newest.total, lastReceived: newest.received };
}
