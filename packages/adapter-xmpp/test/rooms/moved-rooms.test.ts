import { memoryStore, waitFor } from '@magpie/testkit';
import { describe, expect, it } from 'vitest';
import { admitted, attributeOf, isJoin, newSession, refusal, serve } from '../support/fake-xmpp.ts';
import { fakeLink, fromRoom, manualSink, NEVER, sendText } from '../support/link.ts';

const OLD = 'ops@rooms.localhost';
const NEW = 'control@rooms.localhost';
const OPS = fromRoom('ops', 'rooms.localhost');
const MUC = 'http://jabber.org/protocol/muc#user';

const destroyed = (inside: string): string =>
  `<presence from='${OLD}/magpie' type='unavailable'><x xmlns='${MUC}'><item affiliation='none' role='none'/><destroy ${inside}</x></presence>`;
const DESTROYED = destroyed(`jid='${NEW}'><reason>a new team</reason><password>open</password></destroy>`);

const written = (room: string, body: string): string =>
  `<message from='${room}/somebody' type='groupchat'><body>${body}</body></message>`;

/** A connection in a room, at a server that answers as told. */
async function inRoom(
  keys: Readonly<Record<string, unknown>>,
  answer: (element: string) => string | undefined = () => undefined,
  store = memoryStore(),
) {
  const joins: string[] = [];
  const state = { send: (_: string): void => undefined };
  const made = await fakeLink(
    async (peer) => {
      await newSession(peer);
      state.send = (text) => peer.send(text);
      await serve(peer, (element) => {
        const given = answer(element);
        if (isJoin(element)) joins.push(element);
        if (given !== undefined) return given;
        if (isJoin(element)) return admitted(element);
        return /groupchat/.test(element) ? element.replace(/ to="([^"]*)"/, " from='$1/magpie'") : undefined;
      });
    },
    keys,
    store,
  );
  const { sink, calls } = manualSink();
  await made.connection.connect(NEVER);
  await made.connection.receive([OPS], sink);
  return { ...made, calls, joins, state, status: () => made.details.get(`room ${OLD}`), store };
}

describe('a room that its owner has closed', () => {
  it('is followed to the one named instead where that is wanted, and goes by its old address', async () => {
    const { connection, calls, joins, state, status, store } = await inRoom({ followMoved: true });
    state.send(DESTROYED);
    await waitFor(() => status() === `joined as magpie, at ${NEW}`, { what: 'the new room', timeout: 5_000 });
    expect(joins.map((join) => attributeOf(join, 'to'))).toEqual([`${OLD}/magpie`, `${NEW}/magpie`]);
    expect(joins[1]).toContain('<password>open</password>');
    state.send(written(NEW, 'here'));
    await waitFor(() => calls.some(({ texts }) => texts.includes('here')), { what: 'a message' });
    const event = calls.find(({ texts }) => texts.includes('here'))?.events[0];
    expect(event).toMatchObject({ address: { scheme: 'room', segments: ['ops', 'rooms.localhost'] } });
    expect(event?.origin).toMatchObject({ room: OLD, nick: 'somebody' });
    await expect(sendText(connection, 'to the room', 'room', ['ops', 'rooms.localhost'])).resolves.toEqual({
      confirmedBy: 'echo',
    });
    const next = await inRoom({ followMoved: true }, undefined, store);
    expect(next.joins.map((join) => attributeOf(join, 'to'))).toEqual([`${NEW}/magpie`]);
  });

  it('is found where it was when it moves back', async () => {
    const { joins, state, status, store } = await inRoom({ followMoved: true });
    state.send(DESTROYED);
    await waitFor(() => status() === `joined as magpie, at ${NEW}`, { what: 'the new room', timeout: 5_000 });
    state.send(DESTROYED.replace(OLD, NEW).replace(`jid='${NEW}'`, `jid='${OLD}'`));
    await waitFor(() => status() === 'joined as magpie', { what: 'the old room', timeout: 5_000 });
    expect(attributeOf(joins.at(-1) ?? '', 'to')).toBe(`${OLD}/magpie`);
    const next = await inRoom({ followMoved: true }, undefined, store);
    expect(next.joins.map((join) => attributeOf(join, 'to'))).toEqual([`${OLD}/magpie`]);
  });

  it('may say so to who joins it later', async () => {
    const gone = `<error type='cancel'><gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>xmpp:${NEW}?join</gone></error>`;
    const { joins, status } = await inRoom({ followMoved: true }, (element) =>
      isJoin(element) && attributeOf(element, 'to').startsWith(OLD)
        ? `<presence type='error' from='${OLD}/magpie'>${gone}</presence>`
        : undefined,
    );
    await waitFor(() => status() === `joined as magpie, at ${NEW}`, { what: 'the new room', timeout: 5_000 });
    expect(joins).toHaveLength(2);
  });

  it('is not followed unless that is wanted; the status says where it has gone, and why', async () => {
    const { joins, state, status } = await inRoom({});
    state.send(DESTROYED);
    await waitFor(() => status()?.startsWith('the room was closed'), { what: 'the end of the room' });
    expect(status()).toBe(
      `the room was closed by its owner: a new team; it names ${NEW} instead, see followMoved; joining again`,
    );
    await waitFor(() => joins.length === 2, { what: 'the next join', timeout: 5_000 });
    expect(attributeOf(joins[1] ?? '', 'to')).toBe(`${OLD}/magpie`);
  });

  it.each([
    ['no room', "jid='rooms.localhost'/>"],
    ['an occupant', "jid='a@rooms.localhost/x'/>"],
    ['an address that is none', "jid='a b@rooms.localhost'/>"],
    ['itself', `jid='${OLD}'/>`],
    ['a room that we are in already', "jid='other@rooms.localhost'/>"],
  ])('is not followed to %s', async (_, inside) => {
    const { joins, state, status, connection } = await inRoom({
      followMoved: true,
      rooms: [{ room: 'other@rooms.localhost' }],
    });
    await connection.probe(NEVER);
    const before = joins.length;
    state.send(destroyed(inside));
    await waitFor(() => joins.length > before, { what: 'the next join', timeout: 5_000 });
    expect(attributeOf(joins.at(-1) ?? '', 'to')).toBe(`${OLD}/magpie`);
    expect(status()).not.toContain(', at ');
  });
});

describe('a room that takes our voice', () => {
  const own = (role: string): string =>
    `<presence from='${OLD}/magpie'><x xmlns='${MUC}'><item affiliation='none' role='${role}'/><status code='110'/></x></presence>`;

  it('holds what is for it until the voice is given back, and shows that', async () => {
    let mute = true;
    const { connection, state, status, troubled } = await inRoom({}, (element) =>
      mute && /groupchat/.test(element) ? refusal(element, 'forbidden') : undefined,
    );
    const send = (text: string) => sendText(connection, text, 'room', ['ops', 'rooms.localhost']);
    state.send(own('visitor'));
    const refused: unknown = await send('unheard').catch((error: unknown) => error);
    expect(refused).toMatchObject({ name: 'NotConnected', concerns: 'place', suspendsPlace: true });
    expect(String(refused)).toContain('no voice in the room');
    expect(status()).toBe('joined as magpie, without voice: it takes no message of ours');
    expect([...troubled]).toEqual([`room ${OLD}`]);
    mute = false;
    state.send(own('participant'));
    await waitFor(() => status() === 'joined as magpie', { what: 'the voice' });
    await expect(send('heard')).resolves.toEqual({ confirmedBy: 'echo' });
    expect([...troubled]).toEqual([]);
  });
});
