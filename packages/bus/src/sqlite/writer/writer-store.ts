import type { DatabaseSync } from 'node:sqlite';
import { bodyOfRecord } from '../file/event-record.ts';
import type { BatchTime, KeyedAppend, SpecialVerdict, WireBatch, WireCommit, WireResult } from '../protocol/writer.ts';
import type { DedupeStore } from './dedupe/store.ts';
import type { EventAppender, LogEnd } from './event-appender.ts';
import { createStateWriter } from './state-writer.ts';

/** Writes commits in transactions. Used by the writer thread only. */
export interface WriterStore {
  end(): LogEnd;
  /** Writes the commits of a batch with these indexes in one transaction. Throws with nothing written. */
  write(batch: WireBatch, commits: readonly number[]): WireResult[];
  /** Runs other changes in one transaction; `end` is stored with them, so that it survives an emptied log. */
  transaction<T>(work: () => T): T;
}

/** Prepares writing. Called once by the writer thread when it opens the log. */
export function createWriterStore(db: DatabaseSync, dedupe: DedupeStore, appender: EventAppender): WriterStore {
  const state = createStateWriter(db);
  const appendKeyed = createKeyedAppend(dedupe, appender);

  const applyCommit = (batch: WireBatch, commit: WireCommit, start: number): WireResult => {
    const first = appender.end().next;
    const specials: SpecialVerdict[] = [];
    let nextKeyed = 0;
    for (let index = 0; index < commit.appends; index++) {
      const at = start + index;
      const record = recordIn(batch, at);
      const received = batch.received[at]!;
      const keyed = commit.keyed[nextKeyed];
      if (keyed?.index !== index) {
        appender.append(record, received);
        continue;
      }
      nextKeyed++;
      const special = appendKeyed(keyed, record, received, batch.now);
      if (special !== undefined) specials.push(special);
    }
    if (commit.changes !== undefined) state.apply(commit.changes);
    return { type: 'done', first, specials };
  };
  const transaction = <T>(work: () => T): T => {
    const before = appender.end();
    db.exec('BEGIN IMMEDIATE');
    try {
      const result = work();
      dedupe.flush();
      db.exec('COMMIT');
      dedupe.committed();
      return result;
    } catch (error) {
      appender.restore(before);
      dedupe.rolledBack();
      if (db.isTransaction) db.exec('ROLLBACK');
      throw error;
    }
  };
  return {
    end: appender.end,
    write: (batch, commits) => {
      const starts = startsOf(batch.commits);
      return transaction(() => commits.map((index) => applyCommit(batch, batch.commits[index]!, starts[index]!)));
    },
    transaction: (work) =>
      transaction(() => {
        const result = work();
        appender.save();
        return result;
      }),
  };
}

/** Appends an event with a dedupe key; returns what is special about the outcome. */
function createKeyedAppend(dedupe: DedupeStore, appender: EventAppender) {
  return (keyed: KeyedAppend, record: Uint8Array, received: number, now: BatchTime): SpecialVerdict | undefined => {
    const verdict = dedupe.judge(keyed, bodyOfRecord(record), now);
    const { index } = keyed;
    const found = keyed.compare && verdict.found.type !== 'unknown' ? verdict.found : undefined;
    if (found !== undefined && (found.type === 'duplicate' || keyed.refuse)) {
      const type = found.type === 'duplicate' ? 'duplicate' : 'refused';
      return { index, type, position: found.position, ref: dedupe.refOf(found.position) };
    }
    const position = appender.append(record, received);
    dedupe.remember(verdict, keyed.ref, position, now);
    return found && { index, type: 'mismatch', position, ref: keyed.ref };
  };
}

/** The bytes of the record at an index of a batch. */
function recordIn({ records, ends }: WireBatch, index: number): Uint8Array {
  const start = index === 0 ? 0 : ends[index - 1]!;
  return new Uint8Array(records, start, ends[index]! - start);
}

/** Index of each commit's first record. */
function startsOf(commits: readonly WireCommit[]): number[] {
  let start = 0;
  return commits.map(({ appends }) => {
    start += appends;
    return start - appends;
  });
}
