import { NotConnected } from '@magpie/contract';
import type { Page, Refusal } from './archive-reader.ts';
import type { Cursor } from './cursors.ts';
import type { Archived, PageRequest } from './query.ts';

/** Part of what was missed: messages in their order, or why some are missing. */
export type Missed = { readonly messages: readonly Archived[] } | { readonly gap: string };

/** How missed messages are asked for. */
export interface Questions {
  /** One page. */
  ask(request: Omit<PageRequest, 'max'>): Promise<Page | Refusal>;
  /** Whether to look again behind the last page: more came meanwhile. */
  again(): boolean;
}

/** How far clocks may differ, and how far before a lost cursor reading starts, ms. The log drops what it has already. */
const SLACK_MS = 5 * 60_000;

const LOST =
  'the archive does not know the last message that we have of it: what was said since may be missing in part, and some of it may come twice';

/**
 * Reads an archive from a cursor up to now. A cursor that the archive does not know is replaced by its time: a server says so
 * (Prosody), or begins with its oldest message (ejabberd).
 * @param oldest nothing before is read, ms since the epoch.
 * @throws NotConnected when a page is not answered or refused.
 */
export async function* missed(cursor: Cursor, oldest: number, { ask, again }: Questions): AsyncGenerator<Missed> {
  const { id } = cursor;
  let request: Omit<PageRequest, 'max'> = id === undefined ? { start: Math.max(cursor.stamp, oldest) } : { after: id };
  let page = await ask(request);
  if (id !== undefined && !knows(page, cursor)) {
    // Anyone can forge the id of a live message, and the id that was read says whether that is all.
    const isRead = cursor.read !== undefined && cursor.read !== id;
    const before = isRead ? { ...cursor, id: cursor.read } : undefined;
    if (!before || !knows(await ask({ after: before.id }), before)) yield { gap: LOST };
    request = { start: Math.max(cursor.stamp - SLACK_MS, oldest) };
    page = await ask(request);
  } else if (id !== undefined && isOlder(page, oldest)) {
    yield { gap: `what was said before ${new Date(oldest).toISOString()} is older than maxAge and left out` };
    request = { start: oldest };
    page = await ask(request);
  }
  for (;;) {
    if ('refused' in page) throw new NotConnected(`it answers ${page.refused}`);
    yield page;
    const last = page.last ?? page.messages.at(-1)?.id;
    const isEnd = page.complete || last === undefined || last === request.after;
    if (isEnd && !again()) return;
    if (last !== undefined) request = { after: last };
    page = await ask(request);
  }
}

/** Numbers that grow with time, as the ids of ejabberd. */
const GROWING = /^\d{12,}$/;

function knows(page: Page | Refusal, { id = '', stamp }: Cursor): boolean {
  if ('refused' in page) return page.refused !== 'item-not-found';
  const [first] = page.messages;
  if (!first) return true;
  if (GROWING.test(id) && GROWING.test(first.id)) return BigInt(first.id) > BigInt(id);
  return Date.parse(first.stamp) >= stamp - SLACK_MS;
}

const isOlder = (page: Page | Refusal, oldest: number): boolean =>
  'messages' in page && page.messages[0] !== undefined && Date.parse(page.messages[0].stamp) < oldest;
