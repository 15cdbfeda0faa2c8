import type { DatabaseSync } from 'node:sqlite';
import { numberIn, type Row } from './rows.ts';

/** What a search looks at; reading it touches no body. */
export interface EventHead {
  readonly position: number;
  readonly received: number;
  /** Bytes of all records up to and including this one, since the log began. */
  readonly total: number;
}

/** Finds events by values that grow with the position. */
export interface EventSearch {
  oldest(): EventHead | undefined;
  newest(): EventHead | undefined;
  /** Bytes before the oldest event. */
  totalBefore(oldest: EventHead): number;
  /** The first event for which `reached` holds; it must hold for all that follow. Logarithmic. */
  first(reached: (head: EventHead) => boolean): EventHead | undefined;
}

/** Prepares the search of a database. Called once by the writer thread and once by the reader thread. */
export function createEventSearch(db: DatabaseSync): EventSearch {
  const columns = 'SELECT position, received, total FROM events';
  const atOrAfter = db.prepare(`${columns} WHERE position >= ? ORDER BY position LIMIT 1`);
  const last = db.prepare(`${columns} ORDER BY position DESC LIMIT 1`);
  const length = db.prepare('SELECT length(record) AS bytes FROM events WHERE position = ?');
  const newest = (): EventHead | undefined => headOf(last.get());
  return {
    oldest: () => headOf(atOrAfter.get(0)),
    newest,
    totalBefore: ({ position, total }) => total - numberIn(length.get(position) ?? {}, 'bytes'),
    first: (reached) => {
      let low = headOf(atOrAfter.get(0))?.position ?? 0;
      let high = (newest()?.position ?? -1) + 1;
      while (low < high) {
        const middle = Math.floor((low + high) / 2);
        const head = headOf(atOrAfter.get(middle));
        if (head === undefined || reached(head)) high = middle;
        else low = head.position + 1;
      }
      const found = headOf(atOrAfter.get(low));
      return found !== undefined && reached(found) ? found : undefined;
    },
  };
}

const headOf = (row: Row | undefined): EventHead | undefined =>
  row && { position: numberIn(row, 'position'), received: numberIn(row, 'received'), total: numberIn(row, 'total') };
