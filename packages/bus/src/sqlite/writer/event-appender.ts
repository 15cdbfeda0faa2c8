import type { DatabaseSync } from 'node:sqlite';
import { numberIn } from '../file/columns.ts';
import { sealRecord } from '../file/event-record.ts';
import type { EventSearch } from '../file/event-search.ts';

/** Where the log ends: what the next append needs to know. */
export interface LogEnd {
  readonly next: number;
  /** Bytes of all records ever appended. */
  readonly total: number;
  readonly lastReceived: number;
}

/** Adds rows at the end of the log, inside the caller's transaction. */
export interface EventAppender {
  end(): LogEnd;
  /** Goes back to an earlier end after a rollback. */
  restore(end: LogEnd): void;
  /** Stores a record, sealing it; returns its row. */
  append(record: Uint8Array, received: number): number;
  /** Writes the end itself, for a log that may lose all its rows. */
  save(): void;
}

/** Reads where the log ends. Called by the writer thread when it opens the log. Throws `LogFailed` when that is damaged. */
export function createEventAppender(db: DatabaseSync, search: EventSearch): EventAppender {
  const insert = db.prepare('INSERT INTO events VALUES (?, ?, ?, ?)');
  const saveEnd = db.prepare('UPDATE meta SET value = ? WHERE name = ?');
  let end = readEnd(db, search);
  return {
    end: () => end,
    restore: (earlier) => {
      end = earlier;
    },
    append: (record, received) => {
      sealRecord(record);
      const { next } = end;
      end = { next: next + 1, total: end.total + record.byteLength, lastReceived: received };
      insert.run(next, received, end.total, record);
      return next;
    },
    save: () => {
      for (const [name, value] of Object.entries(end)) saveEnd.run(value, name);
    },
  };
}

function readEnd(db: DatabaseSync, search: EventSearch): LogEnd {
  const select = db.prepare('SELECT value FROM meta WHERE name = ?');
  const saved = (name: keyof LogEnd): number => numberIn(select.get(name) ?? {}, 'value');
  const newest = search.newest();
  return newest === undefined
    ? { next: saved('next'), total: saved('total'), lastReceived: saved('lastReceived') }
    : { next: newest.position + 1, total: newest.total, lastReceived: newest.received };
}
