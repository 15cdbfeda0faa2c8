import type { ReceivedEvent } from '@magpie/contract';
import { memoryStore } from '@magpie/testkit';
import { describe, expect, it } from 'vitest';
import { CatchUp } from '../../src/archive/catch-up.ts';
import { Gaps } from '../../src/archive/gaps.ts';
import { type Element, xml } from '../../src/codec/stanza/element.ts';
import { NS } from '../../src/codec/stanza/namespaces.ts';
import type { Link } from '../../src/link/link.ts';
import type { Intake } from '../../src/receive/intake.ts';
import { archivedEvent, receivedEvent } from '../../src/receive/to-event.ts';

const ACCOUNT = 'bridge@localhost';
const HOUR = 3_600_000;
const NOW = Date.parse('2026-11-30T12:00:00Z');

/** What an archive holds: ids with the hours that have passed since. */
interface Kept {
  readonly id: string;
  readonly hoursAgo: number;
}

interface Server {
  kept: Kept[];
  /** Most messages of a page. */
  readonly most?: number;
  /** What it does with an id that it does not know: refuses as Prosody, or begins at the beginning as ejabberd. */
  readonly unknown?: 'refuses' | 'ignores';
  /** Called with each question, before its answer. */
  asked?(after: string | undefined): void;
}

const bodyOf = (id: string): Element =>
  xml('message', { from: 'nadia@localhost/x', to: ACCOUNT, type: 'chat' }, xml('body', {}, id));

/** A message of the archive as it is sent; of the account it has no sender. */
const resultOf = ({ id, hoursAgo }: Kept, queryid: string, from?: string): Element => {
  const stamp = new Date(NOW - hoursAgo * HOUR).toISOString();
  const forwarded = xml('forwarded', { xmlns: NS.forward }, xml('delay', { xmlns: NS.delay, stamp }), bodyOf(id));
  const result = xml('result', { xmlns: NS.archive, queryid, id }, forwarded);
  return xml('message', from === undefined ? {} : { from }, result);
};

const liveMessage = (id: string): Element => {
  const message = bodyOf(id);
  message.append(xml('stanza-id', { xmlns: NS.stanzaId, by: ACCOUNT, id }));
  return message;
};

/** One process of a gateway at a server with an archive of its account; `store` outlives it. */
async function gateway(server: Server, store = memoryStore(), settles = true) {
  const got: string[] = [];
  const settle: Array<() => void> = [];
  const note = (event: ReceivedEvent, finish: () => void): void => {
    const text = Buffer.from(event.body).toString();
    got.push(event.kind === 'status' ? `gap: ${text}` : event.origin.late ? `late ${text}` : text);
    if (settles) finish();
    else settle.push(finish);
  };
  const intake: Pick<Intake, 'covers' | 'take' | 'notice' | 'flush' | 'load'> = {
    covers: () => true,
    take: ({ finish }, event) => note(event, finish),
    notice: note,
    flush: () => undefined,
    load: () => 0,
  };
  const clock = {
    now: () => NOW,
    monotonic: () => 0,
    timeout: (_: number, run: () => void) => {
      run();
      return () => undefined;
    },
  };
  const logger = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
  const details: string[] = [];
  const link: Pick<Link, 'request'> = { request: async (_type, query) => answer(query) };
  const around = { account: ACCOUNT, accountStampsIds: true, wasAway: false, room: () => undefined };
  const known = { ...around, contact: () => undefined, deliveryOf: () => undefined, believes: () => false };
  const catchUp = new CatchUp({
    config: { receiveWindow: 250 },
    wanted: { account: true, rooms: true, maxAge: 7 * 24 * HOUR },
    context: {
      clock,
      store,
      logger: { ...logger, child: () => logger } as never,
      detail: (_part, text) => void details.push(text ?? ''),
      count: (counter) => void details.push(counter),
    },
    account: ACCOUNT,
    intake: intake as Intake,
    gaps: new Gaps(ACCOUNT, intake as Intake),
    link: () => link as Link,
    room: () => undefined,
    toEvent: (by, archived) => archivedEvent(by, archived, known),
  });
  catchUp.accountHasArchive = true;
  await catchUp.load();

  const hear = (stanza: Element): void => {
    const incoming = { stanza, finish: () => undefined, repeated: false };
    const event = catchUp.hears(stanza) ? undefined : receivedEvent(incoming, known);
    if (event) catchUp.take(incoming, event);
  };
  const answer = (query: Element): Element => {
    const set = query.getChild('set', NS.resultSets);
    const after = set?.getChildText('after') ?? undefined;
    const start = query.getChild('x')?.getChildren('field').at(-1)?.getChildText('value');
    server.asked?.(after);
    const index = server.kept.findIndex(({ id }) => id === after);
    if (after !== undefined && index === -1 && server.unknown !== 'ignores')
      return xml('iq', { type: 'error' }, xml('error', {}, xml('item-not-found', { xmlns: NS.stanzaErrors })));
    const since = server.kept.filter(({ hoursAgo }) => !start || NOW - hoursAgo * HOUR >= Date.parse(start));
    const all = after === undefined ? since : server.kept.slice(index + 1);
    const page = set?.getChild('before') ? all.slice(-1) : all.slice(0, server.most ?? 2);
    for (const each of page) hear(resultOf(each, String(query.attrs.queryid)));
    const isComplete = page.length === all.length;
    return xml(
      'iq',
      { type: 'result' },
      xml('fin', { xmlns: NS.archive, ...(isComplete ? { complete: 'true' } : {}) }),
    );
  };
  const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));
  return {
    got,
    details,
    store,
    hear,
    settle,
    /** The link is gone, and a new session begins. */
    lost: () => {
      catchUp.lost();
      catchUp.begin();
    },
    read: async () => {
      catchUp.account(link as Link);
      await settled();
    },
  };
}

const kept = (...ids: string[]): Kept[] => ids.map((id) => ({ id, hoursAgo: 1 }));

/** A server whose archive a gateway has read up to `a`. */
async function known(server: Server) {
  const { store, read } = await gateway({ ...server, kept: kept('a') });
  await read();
  return store;
}

describe('the archive of an account', () => {
  it('is not read the first time, but from its end on, also where it was empty', async () => {
    const full = await gateway({ kept: kept('a', 'b') });
    await full.read();
    expect(full.got).toEqual([]);
    const later = await gateway({ kept: kept('a', 'b', 'c') }, full.store);
    await later.read();
    expect(later.got).toEqual(['late c']);
    const empty = await gateway({ kept: [] });
    await empty.read();
    const filled = await gateway({ kept: kept('a', 'b', 'c') }, empty.store);
    await filled.read();
    expect(filled.got).toEqual(['late a', 'late b', 'late c']);
  });

  it('is read page by page, and what comes live meanwhile stands once and in its place', async () => {
    const server: Server = { kept: kept('a', 'b', 'c', 'd') };
    const { read, hear, got } = await gateway(server, await known(server));
    hear(liveMessage('e'));
    server.asked = (after) => {
      if (after !== 'c') return;
      server.kept = kept('a', 'b', 'c', 'd', 'e', 'f');
      hear(liveMessage('f'));
    };
    await read();
    hear(liveMessage('g'));
    hear(liveMessage('d'));
    expect(got).toEqual(['late b', 'late c', 'late d', 'e', 'f', 'g']);
  });

  it('brings also what came live and had no room to wait', async () => {
    const server: Server = { kept: kept('a'), most: 500 };
    const store = await known(server);
    const ids = Array.from({ length: 1_200 }, (_, index) => `m${index}`);
    const { read, hear, got } = await gateway(server, store);
    for (const id of ids) hear(liveMessage(id));
    server.kept = kept('a', ...ids);
    await read();
    expect(got.map((text) => text.replace('late ', ''))).toEqual(ids);
  });

  it('is read again from what was stored, and no further', async () => {
    const server: Server = { kept: kept('a', 'b', 'c', 'd') };
    const store = await known(server);
    const first = await gateway(server, store, false);
    await first.read();
    for (const index of [2, 0]) first.settle[index]?.();
    const second = await gateway(server, store);
    await second.read();
    expect(second.got).toEqual(['late c', 'late d']);
  });

  it('is read again after a lost link in the same process, for what was not stored is gone with the link', async () => {
    const server: Server = { kept: kept('a', 'b', 'c', 'd') };
    const { read, lost, got, settle } = await gateway(server, await known(server), false);
    await read();
    settle[0]?.();
    lost();
    await read();
    expect(got).toEqual(['late b', 'late c', 'late d', 'late c', 'late d']);
    for (const finish of settle) finish();
    lost();
    await read();
    expect(got).toHaveLength(5);
  });

  it.each(['refuses', 'ignores'] as const)('has a gap where the server %s what we know of it', async (unknown) => {
    const server: Server = { kept: kept('a'), unknown };
    const store = await known(server);
    server.kept = [{ id: 'old', hoursAgo: 5 }, { id: 'older than the place', hoursAgo: 1.2 }, ...kept('x', 'y')];
    const { read, got } = await gateway(server, store);
    await read();
    expect(got).toEqual([expect.stringMatching(/^gap: the archive does not know/), 'late x', 'late y']);
    const next = await gateway(server, store);
    await next.read();
    expect(next.got).toEqual([]);
  });

  it('has none where ids of numbers start again behind the place', async () => {
    const id = (hoursAgo: number): string => String((NOW - hoursAgo * HOUR) * 1000);
    const server: Server = { kept: [{ id: id(3), hoursAgo: 3 }], unknown: 'ignores' };
    const first = await gateway(server);
    await first.read();
    server.kept = [{ id: id(2), hoursAgo: 2 }];
    const { read, got } = await gateway(server, first.store);
    await read();
    expect(got).toEqual([`late ${id(2)}`]);
  });

  it('has a gap where messages are older than is wanted', async () => {
    const day = 24;
    const server: Server = { kept: [{ id: 'a', hoursAgo: 9 * day }] };
    const first = await gateway(server);
    await first.read();
    server.kept = [...server.kept, { id: 'old', hoursAgo: 8 * day }, { id: 'new', hoursAgo: day }];
    const { read, got } = await gateway(server, first.store);
    await read();
    expect(got).toEqual([expect.stringMatching(/^gap: .*maxAge/), 'late new']);
  });

  it('has no gap when the id of a live message was forged', async () => {
    const server: Server = { kept: kept('a', 'b') };
    const store = await known(server);
    const first = await gateway(server, store);
    await first.read();
    first.hear(liveMessage('forged'));
    server.kept = [...kept('a', 'b'), { id: 'c', hoursAgo: 0 }];
    const { read, got } = await gateway(server, store);
    await read();
    expect(got).toEqual(['late c']);
  });

  it('gives nothing to who was not asked, or does not know the question', async () => {
    const server: Server = { kept: kept('a') };
    const { read, hear, got, details } = await gateway(server, await known(server));
    hear(resultOf({ id: 'x', hoursAgo: 0 }, 'guessed'));
    server.asked = () => hear(resultOf({ id: 'y', hoursAgo: 0 }, 'guessed', 'mallory@localhost/x'));
    await read();
    hear(resultOf({ id: 'z', hoursAgo: 0 }, 'guessed', ACCOUNT));
    expect(got).toEqual([]);
    expect(details.filter((text) => text === 'received-unrelated')).toHaveLength(3);
  });
});
