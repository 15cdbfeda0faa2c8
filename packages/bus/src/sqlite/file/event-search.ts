import type { DatabaseSync } from 'node:sqlite';
import { numberIn, type Row, textIn } from './columns.ts';
import { REF_IN_RECORD } from './event-record.ts';

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
  /** Position of the event with this ref. Logarithmic: refs grow with the position. */
  byRef(ref: string): number | undefined;
}

/** Prepares the search of a database. Called once by the writer thread and once by the reader thread. */
export function createEventSearch(db: DatabaseSync): EventSearch {
  const columns = 'SELECT position, received, total FROM events';
  const atOrAfter = db.prepare(`${columns} WHERE position >= ? ORDER BY position LIMIT 1`);
  const last = db.prepare(`${columns} ORDER BY position DESC LIMIT 1`);
  const { start, length: size } = REF_IN_RECORD;
  const refAtOrAfter = db.prepare(
    `SELECT position, CAST(substr(record, ${start}, ${size}) AS TEXT) AS ref FROM events
     WHERE position >= ? ORDER BY position LIMIT 1`,
  );
  const length = db.prepare('SELECT length(record) AS bytes FROM events WHERE position = ?');
  const newest = (): EventHead | undefined => headOf(last.get());
  const bounds = () => ({ low: headOf(atOrAfter.get(0))?.position ?? 0, high: (newest()?.position ?? -1) + 1 });
  return {
    oldest: () => headOf(atOrAfter.get(0)),
    newest,
    totalBefore: ({ position, total }) => total - numberIn(length.get(position) ?? {}, 'bytes'),
    first: (reached) => firstOf(bounds(), (position) => headOf(atOrAfter.get(position)), reached),
    byRef: (ref) => {
      const found = firstOf(
        bounds(),
        (position) => refOf(refAtOrAfter.get(position)),
        (head) => head.ref >= ref,
      );
      return found?.ref === ref ? found.position : undefined;
    },
  };
}

/** Binary search between `low` and `high` for the first event for which `reached` holds. */
function firstOf<H extends { readonly position: number }>(
  { low, high }: { low: number; high: number },
  atOrAfter: (position: number) => H | undefined,
  reached: (head: H) => boolean,
): H | undefined {
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const head = atOrAfter(middle);
    if (head === undefined || reached(head)) high = middle;
    else low = head.position + 1;
  }
  const found = atOrAfter(low);
  return found !== undefined && reached(found) ? found : undefined;
}

const refOf = (row: Row | undefined): { readonly position: number; readonly ref: string } | undefined =>
  row && { position: numberIn(row, 'position'), ref: textIn(row, 'ref') };

const headOf = (row: Row | undefined): EventHead | undefined =>
  row && { position: numberIn(row, 'position'), received: numberIn(row, 'received'), total: numberIn(row, 'total') };
