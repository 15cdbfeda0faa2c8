import assert from 'node:assert/strict';
import type { Position, StoredEvent } from '@magpie/bus';
import type { Case, Group, Subject } from '../case.ts';
import { jsonBody, SIZES, sizeText, storedEvent } from '../samples.ts';
import { scratchLog } from '../scratch-log.ts';

/** Events of a page: of large ones fewer, because a page is bounded in bytes as well. */
const pageOf = (size: number): number => (size > 1024 ? 128 : 256);
/** Pages in the log; reading begins anew after the last. */
const PAGES = 64;

async function reading(size: number, back: boolean): Promise<Subject<readonly StoredEvent[]>> {
  const { log, remove } = await scratchLog();
  const length = pageOf(size);
  const body = jsonBody(size);
  /** The first of each page in the order of reading, before which or after which the page lies. */
  const edges: (Position | undefined)[] = [undefined];
  for (let page = 0; page < PAGES; page++) {
    const append = Array.from({ length }, (_, index) => ({
      event: storedEvent(body, { id: `${page}/${index}` }),
    }));
    await log.commit({ append });
    edges.push(log.head());
  }
  edges.pop();
  return {
    run: (call) => {
      const page = call % PAGES;
      return back ? log.readBack(page === 0 ? undefined : edges[PAGES - page]!, length) : log.read(edges[page], length);
    },
    check: (events, call) => {
      const page = call % PAGES;
      // Backward the newest page comes first; each one after it ends just before an edge, so that it begins one earlier.
      const first = back
        ? page === 0
          ? `${PAGES - 1}/${length - 1}`
          : `${PAGES - 1 - page}/${length - 2}`
        : `${page}/0`;
      assert.equal(events.length, back && page === PAGES - 1 ? length - 1 : length);
      assert.equal(events[0]?.event.id, first);
      for (const { event } of events) assert.ok(Buffer.from(event.body).equals(body), 'a body is another');
    },
    close: remove,
  };
}

const casesOf = (size: number): readonly Case[] => [
  {
    name: `catch up, ${pageOf(size)} of ${sizeText(size)}`,
    operations: pageOf(size),
    prepare: () => reading(size, false),
  },
  {
    name: `newest first, ${pageOf(size)} of ${sizeText(size)}`,
    operations: pageOf(size),
    prepare: () => reading(size, true),
  },
];

/** Out of the log. */
export const read: Group = {
  name: 'read',
  title: 'Read from the log',
  note: 'What a target that lags and a stream that is resumed read: pages of 256 events (128 of 4 KB), from a log of 64 pages, one after the other.',
  operation: 'event',
  call: 'read',
  waits: true,
  cases: SIZES.flatMap(casesOf),
};
