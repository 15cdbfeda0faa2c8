import type { ReceivedEvent } from '@magpie/contract';
import { memoryStore } from '@magpie/testkit';
import { describe, expect, it, vi } from 'vitest';
import { type Element, xml } from '../../src/codec/stanza/element.ts';
import { NS } from '../../src/codec/stanza/namespaces.ts';
import { WhoIsThere } from '../../src/presence/who-is-there.ts';
import type { Intake } from '../../src/receive/intake.ts';

/** Who is there by the presences of one process, and the events that came of them. */
async function watching(store = memoryStore(), isWanted = true) {
  const events: string[] = [];
  const note = ({ kind, type, key = '' }: ReceivedEvent): void => void events.push(`${kind} ${type} ${key}`);
  const intake: Pick<Intake, 'covers' | 'take' | 'notice'> = {
    covers: () => isWanted,
    take: ({ finish }, event) => {
      note(event);
      finish();
    },
    notice: (event, stored) => {
      note(event);
      stored();
    },
  };
  const clock = { now: () => 5, monotonic: () => 5, timeout: () => () => undefined };
  const who = new WhoIsThere({ context: { clock, store }, intake: intake as Intake, link: () => undefined });
  await who.load();
  const finish = vi.fn();
  const hear = (stanza: Element, inRoom = false): void => who.take({ stanza, finish, repeated: false }, inRoom);
  return { who, events, store, hear, finish };
}

const from = (jid: string, type?: string, ...children: Element[]): Element =>
  xml('presence', { from: jid, ...(type === undefined ? {} : { type }) }, ...children);
const away = (): Element => xml('show', {}, 'away');

describe('who is there', () => {
  it('is an event when it changes, and none when it is repeated', async () => {
    const { hear, events, finish } = await watching();
    hear(from('a@b/phone'));
    hear(from('a@b/phone'));
    hear(from('a@b/phone', undefined, away()));
    hear(from('a@b/phone', 'unavailable'));
    hear(from('a@b/phone', 'unavailable'));
    hear(from('c@d', 'unavailable'));
    expect(events).toEqual([
      'presence available a@b/phone',
      'presence available a@b/phone',
      'presence unavailable a@b/phone',
    ]);
    expect(finish, 'every stanza is finished').toHaveBeenCalledTimes(6);
  });

  it('has left when a room does not tell of it again, in this process or the next', async () => {
    const { hear, store } = await watching();
    hear(from('ops@rooms/alice'), true);
    hear(from('ops@rooms/bob'), true);
    hear(from('lab@rooms/eve'), true);
    hear(from('a@b/phone'));
    const next = await watching(store);
    next.who.begin('ops@rooms');
    next.hear(from('ops@rooms/alice'), true);
    next.who.complete('ops@rooms');
    expect(next.events).toEqual(['presence unavailable ops@rooms/bob']);
    expect([...next.who.all()].map(({ jid }) => jid)).toEqual(['ops@rooms/alice', 'lab@rooms/eve', 'a@b/phone']);
  });

  it('is not kept when no route wants it', async () => {
    const { hear, store, who } = await watching(memoryStore(), false);
    hear(from('a@b/phone'));
    expect([...who.all()]).toHaveLength(1);
    expect(await store.entries()).toEqual(new Map());
  });

  it('tells of an occupant what the room says, and the time that the server says', async () => {
    const seen: ReceivedEvent[] = [];
    const intake = {
      covers: () => true,
      take: (_: unknown, event: ReceivedEvent) => seen.push(event),
      notice: () => undefined,
    };
    const clock = { now: () => 5, monotonic: () => 5, timeout: () => () => undefined };
    const context = { clock, store: memoryStore() };
    const who = new WhoIsThere({ context, intake: intake as unknown as Intake, link: () => undefined });
    const item = xml('item', { affiliation: 'owner', role: 'moderator', jid: 'a@b/phone' });
    const delay = xml('delay', { xmlns: NS.delay, stamp: '2026-01-31T12:00:00Z' });
    const stanza = from('ops@rooms/Alice', undefined, away(), xml('x', { xmlns: NS.mucUser }, item), delay);
    who.take({ stanza, finish: () => undefined, repeated: false }, true);
    expect(seen[0]).toMatchObject({
      address: { scheme: 'room', segments: ['ops', 'rooms'] },
      key: 'ops@rooms/Alice',
      time: Date.parse('2026-01-31T12:00:00Z'),
      origin: { room: 'ops@rooms', nick: 'Alice', affiliation: 'owner', role: 'moderator', realJid: 'a@b' },
    });
    expect(JSON.parse(Buffer.from(seen[0]!.body).toString())).toEqual({ available: true, show: 'away' });
  });
});
