import type { EventLog, Position, StoredEvent } from '@magpie/bus';
import type { EventFilter, EventPage } from '../gateway-api.ts';
import { passes } from './subscription.ts';

const BATCH = 500;

/** Most events looked at for one page, so that a rare match cannot hold a request for ever. */
const SCAN_LIMIT = 50_000;

/** One page of history. `next` continues the scan, also when the page is short; undefined at the end of the log. */
export async function readPage(
  log: EventLog,
  filter: EventFilter,
  page: { readonly from?: Position; readonly back?: boolean; readonly limit: number },
): Promise<EventPage> {
  const events: StoredEvent[] = [];
  let cursor = page.from;
  for (let scanned = 0; scanned < SCAN_LIMIT; ) {
    const batch = await (page.back ? log.readBack(cursor, BATCH) : log.read(cursor, BATCH));
    for (const stored of batch) {
      cursor = stored.position;
      if (passes(filter, stored.event)) events.push(stored);
      if (events.length === page.limit) return { events, next: cursor };
    }
    scanned += batch.length;
    if (batch.length === 0) return { events, next: undefined };
  }
  return { events, next: cursor };
}
