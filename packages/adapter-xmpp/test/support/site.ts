import { createAccount, type XmppServer } from '@magpie/brokers';
import { type AdapterFixture, type AdapterSite, type TcpProxy, tcpProxy } from '@magpie/testkit';
import { xml } from '@xmpp/client';
import type { Element } from '../../src/codec/stanza/element.ts';
import { contractPeer, type StockClient, stockClient } from './peer.ts';
import { type ServerName, startServer } from './servers.ts';

const PASSWORD = 'peer-secret';

/** A real server with a breakable line for each case. */
export async function serverFixture(name: ServerName, kind: 'room' | 'jid'): Promise<AdapterFixture> {
  const broker = await startServer(name);
  return {
    prepare: (id) => prepare(broker, kind, id.toLowerCase()),
    stop: () => broker.stop(),
  };
}

async function prepare(broker: XmppServer, kind: 'room' | 'jid', id: string): Promise<AdapterSite> {
  const names = { own: `${id}-own`, peer: `${id}-peer`, other: `${id}-other` };
  await Promise.all(Object.values(names).map((name) => createAccount(broker, name, PASSWORD)));
  const proxy = await tcpProxy({ port: broker.ports.plain });
  const connection = {
    jid: `${names.own}@localhost`,
    password: PASSWORD,
    url: `xmpp://127.0.0.1:${proxy.port}`,
    tls: { ca: broker.ca },
    receiveWindow: 50,
    acceptReplyTo: ['*@localhost', 'owner', 'admin', 'member', 'none'],
    timeout: '5s',
  };
  const ground = kind === 'room' ? roomGround(broker, id, names.peer) : jidGround(broker, names);
  await Promise.all(ground.clients.map((client) => client.online()));
  await ground.ready?.();
  return {
    connection,
    tls: {
      connection: { ...connection, url: broker.urls.plain },
      ca: broker.ca,
      cert: broker.tls.clientCertificate,
      key: broker.tls.clientKey,
    },
    badCredentials: { ...connection, password: 'canary-wrong-password' },
    ...ground.keys,
    peer: ground.peer,
    ...faults(broker, proxy, ground.clients),
    async close() {
      await Promise.all([proxy.close(), ...ground.clients.map((client) => client.close())]);
    },
  };
}

/** A client in rooms of its own for each case. */
export function roomGround(broker: XmppServer, id: string, username: string) {
  const room = (name: string): string => `${id}-${name}@${broker.rooms}`;
  const service = broker.urls.plain;
  const isClosed = id.startsWith('refusing-place');
  const rooms = ['in', 'other', 'out', ...(isClosed ? ['closed'] : [])].map(room);
  const client = stockClient({ service, username, password: PASSWORD, rooms });
  const closed = room('closed');
  const senders = { source: { client, to: room('in') }, other: { client, to: room('other') } };
  return {
    clients: [client],
    ready: () => (isClosed ? client.send(membersOnly(closed, true)) : Promise.resolve()),
    keys: {
      source: { room: room('in') },
      otherSource: { room: room('other') },
      target: { room: room('out') },
      refusing: { target: { room: closed }, open: () => client.send(membersOnly(closed, false)) },
    },
    peer: contractPeer(senders, 'groupchat', (message) => String(message.attrs.from).startsWith(`${room('out')}/`)),
  };
}

/** Makes a room one for members only, or one for everybody; its owner asks for that. */
const membersOnly = (room: string, isSet: boolean): Element => {
  const field = (name: string, value: string): Element => xml('field', { var: name }, xml('value', {}, value));
  return xml(
    'iq',
    { type: 'set', to: room, id: `members-only-${isSet}` },
    xml(
      'query',
      { xmlns: 'http://jabber.org/protocol/muc#owner' },
      xml(
        'x',
        { xmlns: 'jabber:x:data', type: 'submit' },
        field('FORM_TYPE', 'http://jabber.org/protocol/muc#roomconfig'),
        field('muc#roomconfig_membersonly', isSet ? '1' : '0'),
      ),
    ),
  );
};

function jidGround(broker: XmppServer, names: { readonly own: string; readonly peer: string; readonly other: string }) {
  const service = broker.urls.plain;
  const start = (username: string) => stockClient({ service, username, password: PASSWORD });
  const [client, other] = [start(names.peer), start(names.other)];
  const own = `${names.own}@localhost`;
  return {
    ready: undefined,
    clients: [client, other],
    keys: {
      source: { jid: `${names.peer}@localhost` },
      otherSource: { jid: `${names.other}@localhost` },
      target: { jid: `${names.peer}@localhost` },
    },
    peer: contractPeer(
      { source: { client, to: own }, other: { client: other, to: own } },
      'chat',
      (message) => String(message.attrs.from).startsWith(own) && message.attrs.type === 'chat',
    ),
  };
}

/** What can go wrong with a case's line and the server behind it. */
export function faults(broker: XmppServer, proxy: TcpProxy, clients: readonly StockClient[]) {
  return {
    async cutLink() {
      proxy.reset();
      proxy.blackHole(false);
    },
    blackHole: async () => proxy.blackHole(true),
    restoreLink: async () => proxy.blackHole(false),
    stopBroker: () => broker.kill(),
    async startBroker() {
      await broker.restart();
      // A room delivers to those who are in it: the peer has to be back before the connection under test.
      await Promise.all(clients.map((client) => client.online()));
    },
  };
}
