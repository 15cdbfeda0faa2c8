import { type Peer, waitFor } from '@magpie/testkit';
import { describe, expect, it } from 'vitest';
import {
  admitted,
  attributeOf,
  authenticate,
  chat,
  isJoin,
  newSession,
  offerSession,
  refusal,
  result,
  serve,
} from '../support/fake-xmpp.ts';
import { FROM_ANYBODY, fakeLink, fromRoom, manualSink, NEVER, sendText, textOf } from '../support/link.ts';

const OPS = fromRoom('ops', 'rooms.localhost');
const ROOM = ['ops', 'rooms.localhost'];
const JID = ROOM.join('@');
const isMessage = (element: string): boolean => /^<message[^>]*groupchat/.test(element);
const echo = (message: string): string => message.replace(/ to="([^"]*)"/, " from='$1/magpie'");
const said = (body: string): string => `<message from='${JID}/bob' type='groupchat'><body>${body}</body></message>`;
const errorFrom = (from: string, id: string, condition: string): string =>
  `<message type='error' from='${from}' id='${id}'><error type='cancel'><${condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>`;

async function resume(peer: Peer, h: number): Promise<void> {
  await authenticate(peer);
  await offerSession(peer);
  await peer.expect(/<resume [^>]*>/);
  peer.send(`<resumed xmlns='urn:xmpp:sm:3' previd='session-1' h='${h}'/>`);
}

/** A connection in a room of a scripted server; the answers to its messages and pings are the test's. */
async function inRoom(answer: (element: string, peer: Peer) => string | undefined, keys = {}) {
  const joins: string[] = [];
  const made = await fakeLink(async (peer) => {
    await newSession(peer);
    await serve(peer, (element) => {
      if (!isJoin(element)) return answer(element, peer);
      joins.push(attributeOf(element, 'to'));
      return admitted(element);
    });
  }, keys);
  const { sink, calls } = manualSink();
  await made.connection.connect(NEVER);
  await made.connection.receive([OPS, FROM_ANYBODY], sink);
  const events = () => calls.flatMap((call) => call.events);
  const seen = () => events().map((event) => `${event.kind} ${event.type ?? textOf(event)}`);
  const settle = (): void => {
    for (const call of calls) call.answer();
  };
  return { ...made, joins, events, seen, settle };
}

describe('an error message', () => {
  it.each([
    ['a private one from an occupant', (id: string) => errorFrom(`${JID}/bob`, id, 'not-acceptable')],
    ['one of the room about nothing of ours', () => errorFrom(JID, 'unknown', 'not-acceptable')],
    ['one about a message to the room from somebody else', (id: string) => errorFrom('peer@localhost/x', id, 'gone')],
  ])('does not throw us out of a room: %s', async (_, error) => {
    const { connection, details, joins, seen, lost } = await inRoom((element) =>
      isMessage(element) ? `${error(attributeOf(element, 'id'))}${echo(element)}${said('after')}` : undefined,
    );
    await expect(sendText(connection, 'x', 'room', ROOM)).resolves.toEqual({ confirmedBy: 'echo' });
    await waitFor(() => seen().includes('message after'), { what: 'the message behind the error' });
    expect([details.get(`room ${JID}`), joins.length, lost]).toEqual(['joined as magpie', 1, []]);
    expect(seen()).toEqual(['message after']);
  });

  it('is stored when a message of ours came back after its confirmation, and only from where it went', async () => {
    const { connection, events, seen } = await inRoom((element, peer) => {
      if (!element.includes('hello</body>')) return undefined;
      const id = attributeOf(element, 'id');
      const forged = errorFrom('mallory@localhost/x', id, 'service-unavailable');
      setTimeout(() => peer.send(`${forged}${errorFrom('peer@localhost/phone', id, 'gone')}${chat('end')}`), 50);
      return undefined;
    });
    await sendText(connection, 'hello');
    await waitFor(() => seen().includes('message end'), { what: 'the last message' });
    expect(seen()).toEqual(['status bounced', 'message end']);
    expect(events()[0]).toMatchObject({ correlationId: 'delivery-hello', origin: { condition: 'gone' } });
  });

  it('of a stranger is not stored', async () => {
    const { seen } = await inRoom((element) =>
      element.startsWith('<presence')
        ? `${errorFrom('mallory@localhost/x', 'made-up', 'gone')}${chat('end')}`
        : undefined,
    );
    await waitFor(() => seen().includes('message end'), { what: 'the message behind the error' });
    expect(seen()).toEqual(['message end']);
  });
});

describe('a receipt', () => {
  const receipt = (from: string, id: string): string =>
    `<message from='${from}'><received xmlns='urn:xmpp:receipts' id='${id}'/></message>`;

  it('is stored only from where the message went', async () => {
    const { connection, events, seen } = await inRoom((element) => {
      if (!element.includes('hello</body>')) return undefined;
      const id = attributeOf(element, 'id');
      return `${receipt('mallory@localhost/x', id)}${receipt('peer@localhost/x', 'made-up')}${receipt('peer@localhost/x', id)}${chat('end')}`;
    });
    await sendText(connection, 'hello');
    await waitFor(() => seen().includes('message end'), { what: 'the last message' });
    expect(seen()).toEqual(['receipt delivered', 'message end']);
    expect(events()[0]).toMatchObject({ correlationId: 'delivery-hello' });
  });
});

describe('the answer to a question', () => {
  it('counts only from whom it was asked', async () => {
    let gone = false;
    const { connection, details, joins } = await inRoom(
      (element) => {
        if (!element.includes('urn:xmpp:ping') || !attributeOf(element, 'to').startsWith('ops@')) return undefined;
        const forged = refusal(element, 'not-acceptable', 'cancel').replace(
          /from='[^']*'/,
          "from='mallory@localhost/x'",
        );
        gone = true;
        return `${forged}${result(element, '')}`;
      },
      { ping: '1ms' },
    );
    await new Promise((resolve) => setTimeout(resolve, 5));
    await connection.probe(NEVER);
    expect([gone, details.get(`room ${JID}`), joins.length]).toEqual([true, 'joined as magpie', 1]);
  });
});

describe('a room that has died without a word', () => {
  it.each(['item-not-found', 'gone', 'remote-server-not-found', 'not-acceptable'])(
    'is joined again when it answers %s; the message goes out again and a gap is told',
    async (condition) => {
      let alive = false;
      const { connection, details, joins, events, settle } = await inRoom((element) => {
        if (!isMessage(element)) return undefined;
        if (alive) return echo(element);
        alive = true;
        return refusal(element, condition, 'cancel');
      });
      await expect(sendText(connection, 'x', 'room', ROOM)).rejects.toMatchObject({ name: 'NotConnected' });
      expect(details.get(`room ${JID}`)).toMatch(/joining again$/);
      await expect(sendText(connection, 'x', 'room', ROOM)).resolves.toEqual({ confirmedBy: 'echo' });
      expect(joins).toHaveLength(2);
      expect(details.get(`room ${JID}`)).toBe('joined as magpie');
      await waitFor(() => events().length > 0, { what: 'the notice' });
      expect(events()).toMatchObject([
        { kind: 'status', type: 'possible-gap', address: { scheme: 'room', segments: ROOM } },
      ]);
      settle();
    },
  );

  it.each(['item-not-found', 'gone', 'remote-server-not-found'])(
    'is found by a ping of ourselves that is answered %s',
    async (condition) => {
      let alive = false;
      const { connection, joins, seen } = await inRoom(
        (element) => {
          const ping = element.includes('urn:xmpp:ping') && attributeOf(element, 'to').startsWith('ops@');
          if (!ping || alive) return undefined;
          alive = true;
          return refusal(element, condition, 'cancel');
        },
        { ping: '1ms' },
      );
      await new Promise((resolve) => setTimeout(resolve, 5));
      await connection.probe(NEVER);
      await waitFor(() => joins.length === 2, { what: 'the second join' });
      await waitFor(() => seen().includes('status possible-gap'), { what: 'the notice' });
    },
  );

  it('tells of the gap again after a resumed link, until that is stored', async () => {
    let alive = false;
    let handled = 1;
    const made = await fakeLink(async (peer) => {
      if (peer.index === 0) await newSession(peer);
      else await resume(peer, handled);
      await serve(
        peer,
        (element) => {
          if (/^<(presence|iq|message)/.test(element)) handled += 1;
          if (isJoin(element)) return admitted(element);
          if (!isMessage(element)) return undefined;
          if (alive) return echo(element);
          alive = true;
          return refusal(element, 'gone', 'cancel');
        },
        handled,
      );
    });
    const first = manualSink();
    await made.connection.connect(NEVER);
    await made.connection.receive([OPS], first.sink);
    await expect(sendText(made.connection, 'x', 'room', ROOM)).rejects.toThrow();
    await sendText(made.connection, 'x', 'room', ROOM);
    await waitFor(() => first.calls.length === 1, { what: 'the notice' });
    first.calls[0]?.answer({ type: 'unavailable', reason: 'disk full' });
    await waitFor(() => made.lost.length === 1, { what: 'the lost link' });
    const second = manualSink();
    await made.connection.connect(NEVER);
    await made.connection.receive([OPS], second.sink);
    expect(made.details.get('session')).toBe('resumed');
    expect(second.calls.flatMap(({ events }) => events.map(({ type }) => type))).toEqual(['possible-gap']);
  });
});
