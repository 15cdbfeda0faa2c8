import type { EventFilter, EventLog, Position } from '@magpie/bus';
import type { EventPage } from '../gateway-api/index.ts';

/** Most events looked at for one page, so that a rare match cannot hold a request for ever. */
const SCAN_LIMIT = 50_000;

/** Bytes of bodies and headers at which a page ends, so that a request for many large events cannot fill the memory. */
const PAGE_BYTES = 4 * 1024 * 1024;

/** One page of history. `next` continues the search, also when the page is short; undefined at the end of the log. */
export async function readPage(
  log: Pick<EventLog, 'search'>,
  filter: EventFilter,
  page: { readonly from?: Position; readonly back?: boolean; readonly limit: number },
): Promise<EventPage> {
  const found = await log.search({ ...page, filter, maxBytes: PAGE_BYTES, maxScan: SCAN_LIMIT });
  const { events, reached, scanned, isEnd } = found;
  return { events, next: isEnd ? undefined : reached, scanned };
}
