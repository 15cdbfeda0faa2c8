import { systemClock } from '@magpie/contract';
import { describe, expect, it } from 'vitest';
import { type Element, xml } from '../../src/codec/stanza/element.ts';
import { NS } from '../../src/codec/stanza/namespaces.ts';
import { believer } from '../../src/receive/reply-address.ts';
import { receivedEvent, type Surroundings } from '../../src/receive/to-event.ts';
import { Room } from '../../src/rooms/room.ts';

const JID = 'ops@conference.example.org';
const STAMP = '2026-01-31T12:30:15Z';

const room = new Room({
  jid: JID,
  nick: 'magpie',
  password: undefined,
  create: true,
  isForgotten: true,
  moved: () => false,
  address: () => undefined,
  clock: systemClock,
  timeout: 1000,
  link: () => undefined,
  detail: () => undefined,
  left: () => undefined,
  entering: () => undefined,
  entered: () => undefined,
  count: () => undefined,
});

const around: Surroundings = {
  account: 'bridge@example.org',
  accountStampsIds: true,
  wasAway: true,
  room: (jid) => (jid === JID ? room : undefined),
  contact: () => undefined,
  deliveryOf: () => undefined,
  believes: believer(['gate@example.org', 'owner']),
};

/** Said in the room by alice; `delayedBy` says that it was earlier. */
const said = (delayedBy: string): Element =>
  xml(
    'message',
    { from: `${JID}/alice`, type: 'groupchat' },
    xml('body', {}, 'long ago'),
    xml('delay', { xmlns: NS.delay, from: delayedBy, stamp: STAMP }),
  );

const received = (stanza: Element) => receivedEvent({ stanza, repeated: false, finish: () => undefined }, around);

describe('a room message with a delay', () => {
  it.each([JID, 'bridge@example.org'])('is a replay of that time when %s says so', (by) => {
    expect(received(said(by))).toMatchObject({ time: Date.parse(STAMP), origin: { replay: true } });
  });

  it.each(['alice@example.org', 'conference.example.org', ''])('is no replay when "%s" says so', (by) => {
    expect(received(said(by))).toMatchObject({ origin: { replay: false } });
  });
});

describe('the reply address of a message', () => {
  const asked = (from: string, replyTo: string, to = 'bridge@example.org'): Element =>
    xml(
      'message',
      { from, to, type: 'chat' },
      xml('body', {}, '?'),
      xml('event', { xmlns: NS.event }, xml('reply-to', {}, replyTo)),
    );
  const replyTo = (stanza: Element, more: Partial<Surroundings> = {}) => {
    const incoming = { stanza, repeated: false, finish: () => undefined };
    return receivedEvent(incoming, { ...around, ...more })?.replyTo;
  };

  it.each(['jid:boss/example.org', 'topic:plant/pump-7/set', 'queue:orders'])(
    'is never that of a third party, such as %s, because a stranger says so',
    (forged) => {
      expect(replyTo(asked('mallory@example.org/x', forged))).toBeUndefined();
      expect(replyTo(asked(`${JID}/gate`, forged))).toBeUndefined();
      const contact = (jid: string) => (jid === 'pump-7@devices.example.org' ? 'pump-7' : undefined);
      expect(replyTo(asked('mallory@example.org/x', forged, 'pump-7@devices.example.org'), { contact })).toEqual({
        scheme: 'jid',
        segments: ['mallory', 'example.org', 'x'],
      });
    },
  );

  it('is what those say whom the configuration names', () => {
    const topic = { scheme: 'topic', segments: ['answers', '7'] };
    expect(replyTo(asked('gate@example.org/magpie', 'topic:answers/7'))).toEqual(topic);
    expect(replyTo(asked('gate@example.net/magpie', 'topic:answers/7'))).toBeUndefined();
  });

  it('may always be the sender', () => {
    const own = { scheme: 'jid', segments: ['nadia', 'example.org'] };
    expect(replyTo(asked('nadia@example.org/phone', 'jid:nadia/example.org'))).toEqual(own);
  });
});
