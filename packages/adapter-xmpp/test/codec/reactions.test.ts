import type { SourceRequest } from '@magpie/contract';
import { waitFor } from '@magpie/testkit';
import { describe, expect, it } from 'vitest';
import { targetSchema } from '../../src/route-keys.ts';
import { admitted, attributeOf, isJoin, newSession, result, serve } from '../support/fake-xmpp.ts';
import { FROM_ANYBODY, fakeLink, fromRoom, manualSink, NEVER, sendText, textOf } from '../support/link.ts';

const ROOM = ['ops', 'rooms.localhost'];
const JID = ROOM.join('@');
const SID = 'urn:xmpp:sid:0';
const reacted = (from: string, id: string, emojis: readonly string[], more = ''): string =>
  `<message from='${from}' type='${from.startsWith(JID) ? 'groupchat' : 'chat'}' id='r-${id}'><reactions xmlns='urn:xmpp:reactions:0' id='${id}'>${emojis.map((emoji) => `<reaction>${emoji}</reaction>`).join('')}</reactions>${more}</message>`;

const wanting = (request: SourceRequest, ...kinds: readonly ('message' | 'reaction')[]): SourceRequest => ({
  ...request,
  kinds,
});

/** A connection in a room that gives each message an id. */
async function inRoom(sources: readonly SourceRequest[]) {
  const written: string[] = [];
  const state = { send: (_: string): void => undefined };
  const { connection } = await fakeLink(async (peer) => {
    await newSession(peer);
    state.send = (text) => peer.send(text);
    await serve(peer, (element) => {
      if (isJoin(element)) return admitted(element);
      if (element.includes('disco#info'))
        return result(element, `<query xmlns='http://jabber.org/protocol/disco#info'><feature var='${SID}'/></query>`);
      if (!element.startsWith('<message')) return undefined;
      written.push(element);
      const stamp = `<stanza-id xmlns='${SID}' by='${JID}' id='room-${written.length}'/>`;
      if (!element.includes('groupchat')) return '';
      return element.replace(/ to="([^"]*)"/, " from='$1/magpie'").replace('</message>', `${stamp}</message>`);
    });
  });
  const { sink, calls } = manualSink();
  await connection.connect(NEVER);
  await connection.receive(sources, sink);
  return { connection, written, state, events: () => calls.flatMap(({ events }) => events) };
}

describe('a reaction without a text', () => {
  it('is an event of its own kind, about the delivery where it is about a message of ours', async () => {
    const { connection, state, events } = await inRoom([wanting(fromRoom('ops', 'rooms.localhost'), 'reaction')]);
    await sendText(connection, 'alarm', 'room', ROOM);
    state.send(reacted(`${JID}/nadia`, 'room-1', ['👍', '👀']) + reacted(`${JID}/nadia`, 'other', []));
    await waitFor(() => events().length === 2, { what: 'the reactions' });
    expect(events()[0]).toMatchObject({
      kind: 'reaction',
      address: { scheme: 'room', segments: ROOM },
      correlationId: 'delivery-alarm',
      origin: { nick: 'nadia', reaction: { id: 'room-1', emojis: ['👍', '👀'] } },
    });
    expect(events().map(textOf)).toEqual(['👍 👀', '']);
    expect(events()[1]).toMatchObject({ correlationId: 'other' });
  });

  it('is about the delivery one to one as well', async () => {
    const { connection, state, events } = await inRoom([wanting(FROM_ANYBODY, 'reaction')]);
    await sendText(connection, 'alarm');
    state.send(reacted('peer@localhost/x', 'delivery-alarm', ['🎉']));
    await waitFor(() => events().length === 1, { what: 'the reaction' });
    expect(events()[0]).toMatchObject({ kind: 'reaction', correlationId: 'delivery-alarm', key: 'peer@localhost' });
  });

  it('is stored only where a route wants it, and is none without the id of a message', async () => {
    const { state, events, connection } = await inRoom([wanting(fromRoom('ops', 'rooms.localhost'), 'message')]);
    state.send(reacted(`${JID}/nadia`, 'x', ['👍']));
    state.send(`<message from='${JID}/nadia' type='groupchat'><body>after</body></message>`);
    await waitFor(() => events().length === 1, { what: 'the message' });
    expect(events().map(textOf)).toEqual(['after']);
    await connection.receive([wanting(fromRoom('ops', 'rooms.localhost'), 'message', 'reaction')], manualSink().sink);
    state.send(reacted(`${JID}/nadia`, '', ['👍']));
    await connection.probe(NEVER);
    expect(events()).toHaveLength(1);
  });
});

describe('a message that refers to another one', () => {
  const send = async (text: string, refers: object) => {
    const { connection, written } = await inRoom([]);
    await sendText(connection, text, 'room', ROOM, { refers });
    return written[0] ?? '';
  };

  it.each([
    [{ reply: 'm1' }, '<reply xmlns="urn:xmpp:reply:0" id="m1"/>'],
    [{ replaces: 'm1' }, '<replace xmlns="urn:xmpp:message-correct:0" id="m1"/>'],
    [{ retracts: 'm1' }, '<retract xmlns="urn:xmpp:message-retract:1" id="m1"/>'],
  ])('says so beside its text: %j', async (refers, element) => {
    const message = await send('text', refers);
    expect(message).toContain('<body>text</body>');
    expect(message).toContain(element);
  });

  it('is nothing but the emojis as a reaction, and a text is refused', async () => {
    const message = await send('👍 👀', { reaction: 'm1' });
    expect(message).toContain(
      '<reactions xmlns="urn:xmpp:reactions:0" id="m1"><reaction>👍</reaction><reaction>👀</reaction></reactions>',
    );
    expect(message).not.toContain('<body>');
    expect(attributeOf(message, 'to')).toBe(JID);
    await expect(send(`${'no'.repeat(20)} emoji`, { reaction: 'm1' })).rejects.toMatchObject({ name: 'Rejected' });
    await expect(send(' ', { reaction: 'm1' })).rejects.toMatchObject({ name: 'Rejected' });
  });

  it('names one of the four ways', () => {
    const problems = (refers: object) => targetSchema.safeParse({ room: JID, refers }).error?.issues[0]?.message ?? '';
    expect(problems({ reply: 'a' })).toBe('');
    expect(problems({})).toContain('expected one of reply, replaces, retracts and reaction');
    expect(problems({ reply: 'a', reaction: 'b' })).toContain('expected one of');
  });
});
