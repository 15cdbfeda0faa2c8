import { systemClock } from '@magpie/contract';
import { describe, expect, it } from 'vitest';
import { type Element, xml } from '../../src/codec/stanza/element.ts';
import { NS } from '../../src/codec/stanza/namespaces.ts';
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
