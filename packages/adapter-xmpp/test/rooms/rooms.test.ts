import { waitFor } from '@magpie/testkit';
import { describe, expect, it } from 'vitest';
import { admitted, attributeOf, isJoin, newSession, refusal, serve } from '../support/fake-xmpp.ts';
import { fakeLink, fromRoom, manualSink, NEVER, sendText } from '../support/link.ts';

const OPS = fromRoom('ops', 'rooms.localhost');
const CLOSED = fromRoom('closed', 'rooms.localhost');
const written = (room: string, body: string): string =>
  `<message from='${room}/somebody' type='groupchat'><body>${body}</body></message>`;

describe('a room that refuses us', () => {
  it('shows in the status, disturbs no other room, and is joined once it lets us in', async () => {
    let banned = true;
    const { connection, details, troubled, lost } = await fakeLink(async (peer) => {
      await newSession(peer);
      await serve(peer, (element) => {
        if (!isJoin(element)) return undefined;
        if (banned && attributeOf(element, 'to').startsWith('closed@')) return refusal(element, 'forbidden');
        const room = attributeOf(element, 'to').split('/')[0] ?? '';
        setTimeout(() => peer.send(written(room, `in ${room}`)), 50);
        return admitted(element);
      });
    });
    const { sink, calls } = manualSink();
    await connection.connect(NEVER);
    await connection.receive([CLOSED, OPS], sink);
    expect(details.get('room ops@rooms.localhost')).toBe('joined as magpie');
    expect(details.get('room closed@rooms.localhost')).toMatch(/^not permitted: .*forbidden \(we are banned/);
    await waitFor(() => calls.some(({ texts }) => texts.includes('in ops@rooms.localhost')), { what: 'a message' });
    expect([...troubled]).toEqual(['room closed@rooms.localhost']);
    banned = false;
    await waitFor(() => details.get('room closed@rooms.localhost') === 'joined as magpie', { what: 'the room' });
    expect([...troubled]).toEqual([]);
    await waitFor(() => calls.some(({ texts }) => texts.includes('in closed@rooms.localhost')), {
      what: 'its message',
    });
    expect(lost).toEqual([]);
  });

  it('is not made when there is none unless that is configured, and is joined once somebody has made it', async () => {
    let exists = false;
    const left: string[] = [];
    const { connection, details } = await fakeLink(
      async (peer) => {
        await newSession(peer);
        await serve(peer, (element) => {
          if (element.startsWith('<presence') && attributeOf(element, 'type') === 'unavailable')
            left.push(attributeOf(element, 'to'));
          if (!isJoin(element)) return undefined;
          return exists ? admitted(element) : admitted(element).replace("code='110'", "code='110'/><status code='201'");
        });
      },
      { rooms: [{ room: 'made@rooms.localhost', create: true }] },
    );
    await connection.connect(NEVER);
    await connection.receive([OPS, fromRoom('made', 'rooms.localhost')], manualSink().sink);
    expect(details.get('room made@rooms.localhost')).toBe('joined as magpie');
    expect(details.get('room ops@rooms.localhost')).toBe(
      'not permitted: the room does not exist; set create: true under rooms',
    );
    expect(left).toEqual(['ops@rooms.localhost/magpie']);
    exists = true;
    await waitFor(() => details.get('room ops@rooms.localhost') === 'joined as magpie', { what: 'the room' });
  });

  it('is joined again at once when it throws us out before it has told all about itself', async () => {
    const joins: string[] = [];
    const { connection, details } = await fakeLink(async (peer) => {
      await newSession(peer);
      await serve(peer, (element) => {
        if (!isJoin(element)) return undefined;
        joins.push(element);
        const out = `<presence type='unavailable' from='ops@rooms.localhost/magpie'><x xmlns='http://jabber.org/protocol/muc#user'><item affiliation='none' role='none'/><status code='307'/></x></presence>`;
        return joins.length === 1 ? admitted(element) + out : admitted(element);
      });
    });
    await connection.connect(NEVER);
    await connection.receive([OPS], manualSink().sink);
    expect(details.get('room ops@rooms.localhost')).toBe('joined as magpie');
    expect(joins).toHaveLength(2);
  });

  it('does not hold up the others while it is silent', async () => {
    const { connection, details } = await fakeLink(
      async (peer) => {
        await newSession(peer);
        const answers = (element: string): boolean => !attributeOf(element, 'to').startsWith('closed@');
        await serve(peer, (element) => (isJoin(element) ? (answers(element) ? admitted(element) : '') : undefined));
      },
      { timeout: '400ms' },
    );
    await connection.connect(NEVER);
    await connection.receive([CLOSED, OPS], manualSink().sink);
    expect(details.get('room ops@rooms.localhost')).toBe('joined as magpie');
    expect(details.get('room closed@rooms.localhost')).toContain('did not answer our join within 400 ms');
  });

  it('is not joined again once no source names it', async () => {
    const joins: string[] = [];
    const { connection, details } = await fakeLink(async (peer) => {
      await newSession(peer);
      await serve(peer, (element) => {
        if (!isJoin(element)) return undefined;
        joins.push(attributeOf(element, 'to'));
        return refusal(element, 'registration-required');
      });
    });
    await connection.connect(NEVER);
    await connection.receive([CLOSED], manualSink().sink);
    await connection.receive([], manualSink().sink);
    expect(details.get('room closed@rooms.localhost')).toBeUndefined();
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    expect(joins).toEqual(['closed@rooms.localhost/magpie']);
  });
});

describe('a membership that was lost without notice', () => {
  it.each([
    [
      'the room does not know us',
      'the room no longer lists us as an occupant',
      (ping: string) => refusal(ping, 'not-acceptable', 'cancel'),
    ],
    ['the room is silent', 'the room does not answer', () => ''],
  ])('is found by a ping of ourselves when %s, and taken up again', async (_, reason, answer) => {
    let member = false;
    const joins: string[] = [];
    const { connection, details, lost } = await fakeLink(
      async (peer) => {
        await newSession(peer);
        await serve(peer, (element) => {
          const to = attributeOf(element, 'to');
          if (isJoin(element)) {
            member = true;
            joins.push(to);
            return admitted(element);
          }
          return element.includes('urn:xmpp:ping') && to.startsWith('ops@') && !member ? answer(element) : undefined;
        });
      },
      { ping: '1ms', timeout: '500ms' },
    );
    await connection.connect(NEVER);
    await connection.receive([OPS], manualSink().sink);
    const due = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));
    await due();
    await connection.probe(NEVER);
    expect(joins).toHaveLength(1);
    await due();
    member = false;
    const send = sendText(connection, 'lost', 'room', ['ops', 'rooms.localhost']);
    const [outcome] = await Promise.allSettled([send, connection.probe(NEVER)]);
    expect(outcome).toMatchObject({ status: 'rejected', reason: { name: 'Unknown' } });
    expect(details.get('room ops@rooms.localhost')).toBe(`${reason}; joining again`);
    await waitFor(() => joins.length === 2, { what: 'the second join' });
    await waitFor(() => details.get('room ops@rooms.localhost') === 'joined as magpie', { what: 'being back' });
    expect(lost).toEqual([]);
  });
});

describe('a configured nick that somebody else has', () => {
  const JID = 'ops@rooms.localhost';
  const left = (nick: string): string =>
    `<presence from='${JID}/${nick}' type='unavailable'><x xmlns='http://jabber.org/protocol/muc#user'><item affiliation='none' role='none'/></x></presence>`;
  const present = (nick: string, code = ''): string =>
    `<presence from='${JID}/${nick}'><x xmlns='http://jabber.org/protocol/muc#user'><item affiliation='none' role='participant'/>${code}</x></presence>`;
  const renamed = (from: string, to: string): string =>
    `<presence from='${JID}/${from}' type='unavailable'><x xmlns='http://jabber.org/protocol/muc#user'><item nick='${to}'/><status code='303'/><status code='110'/></x></presence>${present(to, "<status code='110'/>")}`;

  /** A room where somebody has our nick until it is said to be free. */
  async function taken() {
    const asked: string[] = [];
    const state = { free: false, send: (_: string): void => undefined };
    const made = await fakeLink(async (peer) => {
      await newSession(peer);
      state.send = (text) => peer.send(text);
      await serve(peer, (element) => {
        const to = attributeOf(element, 'to');
        if (!element.startsWith('<presence') || !to.startsWith(JID)) return undefined;
        asked.push(to.split('/')[1] ?? '');
        if (to.endsWith('/magpie') && !state.free) return refusal(element, 'conflict', 'cancel');
        return isJoin(element) ? present('magpie') + admitted(element) : renamed('magpie_', 'magpie');
      });
    });
    await made.connection.connect(NEVER);
    await made.connection.receive([OPS], manualSink().sink);
    return { ...made, asked, state, status: () => made.details.get(`room ${JID}`) };
  }

  it('shows in the status until it is free', async () => {
    const { asked, state, status, connection } = await taken();
    expect(status()).toBe('joined as magpie_ ("magpie" is not free)');
    expect(asked).toEqual(['magpie', 'magpie_']);
    state.send(left('somebody'));
    state.send(left('magpie'));
    await waitFor(() => asked.length === 3, { what: 'the question for the nick' });
    expect(status()).toBe('joined as magpie_ ("magpie" is not free)');
    state.free = true;
    state.send(present('magpie') + left('magpie'));
    await waitFor(() => status() === 'joined as magpie', { what: 'our nick' });
    expect(asked.slice(2)).toEqual(['magpie', 'magpie']);
    state.send(left('magpie_'));
    await connection.probe(NEVER);
    expect(status()).toBe('joined as magpie');
  });
});

describe('rooms that something was sent to', () => {
  it('are left when they become very many, the oldest first; one that cannot be joined is not kept', async () => {
    const present = new Set<string>();
    const { connection, details, troubled } = await fakeLink(async (peer) => {
      await newSession(peer);
      await serve(peer, (element) => {
        const to = attributeOf(element, 'to');
        const room = to.split('/')[0] ?? '';
        if (isJoin(element)) {
          if (room.startsWith('closed')) return refusal(element, 'forbidden');
          present.add(room);
          return admitted(element);
        }
        if (/^<presence[^>]*unavailable/.test(element)) present.delete(room);
        return /groupchat/.test(element) ? element.replace(/ to="([^"]*)"/, " from='$1/magpie'") : undefined;
      });
    });
    await connection.connect(NEVER);
    await connection.receive([], manualSink().sink);
    const send = (room: string) => sendText(connection, room, 'room', [room, 'rooms.localhost']);
    for (let index = 0; index < 505; index++) await send(`r${index}`);
    await expect(send('closed')).rejects.toThrow('banned');
    expect([...troubled], 'what sends there tells').toEqual([]);
    await waitFor(() => present.size === 500, { what: 'the rooms that are left' });
    expect([...present]).not.toContain('r0@rooms.localhost');
    expect(details.get('room r0@rooms.localhost')).toBeUndefined();
  });
});
