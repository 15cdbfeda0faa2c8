import { createAccount, type XmppServer } from '@magpie/brokers';
import type { SourceRequest } from '@magpie/contract';
import { tcpProxy, waitFor } from '@magpie/testkit';
import { xml } from '@xmpp/client';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { fromRoom, makeLink, manualSink, NEVER, sendText, type TestLink } from './support/link.ts';
import { type StockClient, stockClient } from './support/peer.ts';
import { SERVERS, startServer } from './support/servers.ts';

const PASSWORD = 'broker-secret';
const ROOM = ['ops', 'conference.localhost'];
const ROOM_JID = ROOM.join('@');
let broker: XmppServer;

function link(keys: Readonly<Record<string, unknown>> = {}): TestLink {
  const made = makeLink({
    jid: 'gate@localhost',
    password: PASSWORD,
    url: broker.urls.plain,
    tls: { ca: broker.ca },
    timeout: '5s',
    createRooms: true,
    ...keys,
  });
  onTestFinished(() => made.connection.close(AbortSignal.timeout(2_000)));
  return made;
}

async function peerInRoom(): Promise<StockClient> {
  const peer = stockClient({ service: broker.urls.plain, username: 'peer', password: PASSWORD, rooms: [ROOM_JID] });
  onTestFinished(() => peer.close());
  await peer.online();
  return peer;
}

const bodies = (peer: StockClient): string[] =>
  peer.messages.flatMap((message) => message.getChild('body')?.getText() ?? []);

const FROM_PEER: SourceRequest = {
  pattern: { scheme: 'jid', segments: ['peer', 'localhost'].map((value) => ({ type: 'literal', value })) },
  options: {},
};

/** Keeps a connection up as the supervisor does, and repeats sends as a lane does. */
async function sendUntilConfirmed(
  { connection, lost }: TestLink,
  text: string,
  state: { seen: number },
): Promise<void> {
  for (;;) {
    try {
      if (lost.length > state.seen) {
        state.seen = lost.length;
        await reconnect(connection);
      }
      await sendText(connection, text, 'room', ROOM);
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 20)); // Refused or unknown: sent again with the same delivery id.
    }
  }
}

async function reconnect(connection: TestLink['connection']): Promise<void> {
  for (;;) {
    try {
      await connection.connect(NEVER);
      await connection.receive([fromRoom('ops', 'conference.localhost')], manualSink().sink);
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50)); // The broker or the proxy is still down.
    }
  }
}

describe.each(SERVERS)('%s', (server) => {
  beforeAll(async () => {
    broker = await startServer(server);
    await Promise.all(['gate', 'peer'].map((name) => createAccount(broker, name, PASSWORD)));
  });
  afterAll(() => broker.stop());

  describe('while intake stands still', () => {
    it('a real server has what we send confirmed, keeps what is left there, and sends it again in order', async () => {
      const peer = await peerInRoom();
      const { connection, lost } = link({ receiveWindow: 2 });
      const { sink, calls } = manualSink();
      await connection.connect(NEVER);
      await connection.receive([FROM_PEER], sink);
      const texts = Array.from({ length: 60 }, (_, index) => `kept ${index}`);
      for (const text of texts) {
        await peer.send(xml('message', { to: 'gate@localhost', type: 'chat' }, xml('body', {}, text)));
      }
      await waitFor(() => sendText(connection, 'while held', 'room', ROOM), {
        what: 'a confirmation',
        timeout: 15_000,
      });
      await sendText(connection, 'still held', 'room', ROOM);
      await connection.probe(NEVER);
      const got: string[] = [];
      const settle = (): void => {
        for (let call = calls.shift(); call; call = calls.shift()) {
          got.push(...call.texts);
          call.answer();
        }
      };
      const settled = (what: string, isOver: () => boolean): Promise<unknown> =>
        waitFor(
          () => {
            settle();
            return isOver();
          },
          { what, timeout: 10_000 },
        );
      await settled('the end of the link', () => lost.length === 1);
      await connection.connect(NEVER);
      await connection.receive([FROM_PEER], sink);
      await settled('what was left', () => got.length >= texts.length);
      expect(got).toEqual(texts);
      await sendText(connection, 'after', 'room', ROOM);
      await waitFor(() => bodies(peer).includes('after'), { what: 'the last message at the peer' });
      expect(bodies(peer).filter((text) => /held|after/.test(text))).toEqual(['while held', 'still held', 'after']);
      expect(lost).toHaveLength(1);
    }, 60_000);
  });

  describe('TLS', () => {
    it.each(['plain', 'tls'] as const)('logs in with the configured authority (%s)', async (port) => {
      await link({ url: broker.urls[port] }).connection.connect(NEVER);
    });

    it.each(['plain', 'tls'] as const)(
      'refuses a certificate of an unknown authority, and says what to set (%s)',
      async (port) => {
        const { connection } = link({ url: broker.urls[port], tls: {} });
        await expect(connection.connect(NEVER)).rejects.toMatchObject({
          name: 'NotConnected',
          message: expect.stringContaining('tls.ca'),
        });
      },
    );

    it('refuses a certificate for another name', async () => {
      const { connection } = link({ tls: { ca: broker.ca, serverName: 'chat.example.org' } });
      await expect(connection.connect(NEVER)).rejects.toMatchObject({
        message: expect.stringContaining('tls.serverName'),
      });
    });

    it('says where the file of authorities is wrong', async () => {
      const { connection } = link({ tls: { ca: '/no/such/file.pem' } });
      await expect(connection.connect(NEVER)).rejects.toMatchObject({ name: 'ConfigInvalid', pointer: '/tls/ca' });
    });
  });

  describe('a stanza larger than the server permits', () => {
    /** As a stanza and never as a file, though the server takes files. */
    const INLINE = { upload: 'never' };

    it('costs one link and is refused with the words of the server', async () => {
      const made = link({ maxStanzaBytes: '1MiB' });
      await reconnect(made.connection);
      const big = sendText(made.connection, 'x'.repeat(400_000), 'room', ROOM, INLINE);
      await expect(big).rejects.toMatchObject({ name: 'TooLarge', message: expect.stringMatching(/too big/) });
      await waitFor(() => made.lost.length === 1, { what: 'the lost link' });
      await reconnect(made.connection);
      await expect(sendText(made.connection, 'small', 'room', ROOM)).resolves.toEqual({ confirmedBy: 'echo' });
      await expect(sendText(made.connection, 'y'.repeat(400_001), 'room', ROOM, INLINE)).rejects.toThrow(
        /server refused one of/,
      );
      expect(made.lost).toHaveLength(1);
    });
  });

  describe('rooms', () => {
    it('takes another nick when ours is taken, and ours as soon as it is free', async () => {
      const peer = await peerInRoom();
      const { connection, details } = link({ rooms: [{ room: ROOM_JID, nick: 'peer' }] });
      await connection.connect(NEVER);
      await connection.receive([fromRoom('ops', 'conference.localhost')], manualSink().sink);
      expect(details.get(`room ${ROOM_JID}`)).toBe('joined as peer_ ("peer" is not free)');
      await expect(sendText(connection, 'from peer_', 'room', ROOM)).resolves.toEqual({ confirmedBy: 'echo' });
      await peer.close();
      await waitFor(() => details.get(`room ${ROOM_JID}`) === 'joined as peer', { what: 'our own nick' });
      await waitFor(() => sendText(connection, 'from peer', 'room', ROOM).then(() => true), { what: 'the room' });
      expect(details.get(`room ${ROOM_JID}`)).toBe('joined as peer');
    });

    it('joins again after a kick', async () => {
      const peer = await peerInRoom();
      const { connection, details } = link({ nick: 'magpie' });
      await connection.connect(NEVER);
      await connection.receive([fromRoom('ops', 'conference.localhost')], manualSink().sink);
      const kick = xml(
        'query',
        { xmlns: 'http://jabber.org/protocol/muc#admin' },
        xml('item', { nick: 'magpie', role: 'none' }),
      );
      await peer.send(xml('iq', { type: 'set', to: ROOM_JID, id: 'kick' }, kick));
      await waitFor(() => details.get(`room ${ROOM_JID}`)?.startsWith('kicked'), { what: 'the kick' });
      await waitFor(() => details.get(`room ${ROOM_JID}`) === 'joined as magpie', {
        what: 'being back',
        timeout: 10_000,
      });
      await sendText(connection, 'back', 'room', ROOM);
    });

    const admin = (nick: string, role: string) =>
      xml('query', { xmlns: 'http://jabber.org/protocol/muc#admin' }, xml('item', { nick, role }));
    const owner = (child: ReturnType<typeof xml>) =>
      xml('query', { xmlns: 'http://jabber.org/protocol/muc#owner' }, child);
    const set = (to: string, id: string, child: ReturnType<typeof xml>) => xml('iq', { type: 'set', to, id }, child);

    it('waits with what is for a room that has taken our voice, until it is given back', async () => {
      const room = `quiet@${ROOM[1]}`;
      const peer = stockClient({ service: broker.urls.plain, username: 'peer', password: PASSWORD, rooms: [room] });
      onTestFinished(() => peer.close());
      await peer.online();
      const field = (name: string, value: string) => xml('field', { var: name }, xml('value', {}, value));
      const form = xml(
        'x',
        { xmlns: 'jabber:x:data', type: 'submit' },
        field('FORM_TYPE', 'http://jabber.org/protocol/muc#roomconfig'),
        field('muc#roomconfig_moderatedroom', '1'),
      );
      await peer.send(set(room, 'moderated', owner(form)));
      const { connection, details } = link({ nick: 'magpie' });
      await connection.connect(NEVER);
      await connection.receive([fromRoom('quiet', 'conference.localhost')], manualSink().sink);
      await peer.send(set(room, 'mute', admin('magpie', 'visitor')));
      const state = () => details.get(`room ${room}`);
      await waitFor(() => state()?.includes('without voice'), { what: 'the silence' });
      await expect(sendText(connection, 'unheard', 'room', ['quiet', 'conference.localhost'])).rejects.toMatchObject({
        name: 'NotConnected',
        concerns: 'place',
        message: expect.stringContaining('no voice'),
      });
      await peer.send(set(room, 'unmute', admin('magpie', 'participant')));
      await waitFor(() => state() === 'joined as magpie', { what: 'the voice' });
      await sendText(connection, 'heard', 'room', ['quiet', 'conference.localhost']);
      await waitFor(() => bodies(peer).includes('heard'), { what: 'the message' });
      expect(bodies(peer)).not.toContain('unheard');
    });

    it('follows a room that its owner has closed to the one named instead', async () => {
      const [old, other] = [`old@${ROOM[1]}`, `new@${ROOM[1]}`];
      const rooms = [old, other];
      const peer = stockClient({ service: broker.urls.plain, username: 'peer', password: PASSWORD, rooms });
      onTestFinished(() => peer.close());
      await peer.online();
      const { sink, calls } = manualSink();
      const { connection, details } = link({ nick: 'magpie', followMoved: true });
      await connection.connect(NEVER);
      await connection.receive([fromRoom('old', 'conference.localhost')], sink);
      await peer.send(set(old, 'destroy', owner(xml('destroy', { jid: other }, xml('reason', {}, 'moved')))));
      await waitFor(() => details.get(`room ${old}`) === `joined as magpie, at ${other}`, {
        what: 'the new room',
        timeout: 10_000,
      });
      await sendText(connection, 'hello', 'room', ['old', 'conference.localhost']);
      await peer.send(xml('message', { to: other, type: 'groupchat' }, xml('body', {}, 'in the new room')));
      await waitFor(() => calls.some(({ texts }) => texts.includes('in the new room')), { what: 'a message' });
      const [event] = calls.find(({ texts }) => texts.includes('in the new room'))?.events ?? [];
      expect(event?.address).toEqual({ scheme: 'room', segments: ['old', 'conference.localhost'] });
      expect(bodies(peer)).toContain('hello');
    });

    it('loses none of 1,000 messages to a line that is cut again and again', { timeout: 120_000 }, async () => {
      const peer = await peerInRoom();
      const proxy = await tcpProxy({ port: broker.ports.plain });
      const made = link({ url: proxy.url(broker.urls.plain) });
      await reconnect(made.connection);
      const state = { seen: 0 };
      for (let index = 0; index < 1_000; index++) {
        const sent = sendUntilConfirmed(made, `m${index}`, state);
        if (index % 50 === 25) proxy.reset(); // with this message on its way
        await sent;
      }
      await proxy.close();
      await waitFor(() => bodies(peer).includes('m999'), { what: 'the last message' });
      expect(new Set(bodies(peer).filter((body) => /^m\d+$/.test(body))).size).toBe(1_000);
      expect(state.seen).toBeGreaterThan(2);
    });

    it('joins and sends again after the server was killed', async () => {
      const made = link();
      await reconnect(made.connection);
      await broker.kill();
      await waitFor(() => made.lost.length > 0, { what: 'the lost link' });
      await expect(sendText(made.connection, 'down', 'room', ROOM)).rejects.toMatchObject({ name: 'NotConnected' });
      await broker.restart();
      await reconnect(made.connection);
      await expect(sendText(made.connection, 'up', 'room', ROOM)).resolves.toEqual({ confirmedBy: 'echo' });
    });
  });
});
