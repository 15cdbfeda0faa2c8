import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import { createServer } from 'node:tls';
import { createAccount, type XmppServer } from '@magpie/brokers';
import { type AdapterFixture, type AdapterSite, tcpProxy } from '@magpie/testkit';
import { contractPeer, type StockClient, stockClient } from './peer.ts';
import { type ServerName, startServer } from './servers.ts';
import { faults, roomGround } from './site.ts';

const PASSWORD = 'peer-secret';

/** More domains than the suites have cases: a case never meets what the one before has left at the server. */
const DOMAINS = Array.from({ length: 150 }, (_, index) => `case-${index}.localhost`);

/** A real server whose port for components has a breakable line and a domain for each case. */
export async function componentFixture(name: ServerName, kind: 'room' | 'contact'): Promise<AdapterFixture> {
  const broker = await startServer(name, DOMAINS);
  const front = await tlsFront(broker);
  let next = 0;
  return {
    prepare: (id) => prepare({ broker, front, kind, domain: DOMAINS[next++] ?? '' }, id.toLowerCase()),
    async stop() {
      await front.close();
      await broker.stop();
    },
  };
}

interface Ground {
  readonly broker: XmppServer;
  readonly front: TlsFront;
  readonly kind: 'room' | 'contact';
  readonly domain: string;
}

async function prepare({ broker, front, kind, domain }: Ground, id: string): Promise<AdapterSite> {
  const peer = `${id}-peer`;
  await createAccount(broker, peer, PASSWORD);
  const proxy = await tcpProxy({ port: broker.ports.component });
  const connection = {
    mode: 'component',
    domain,
    secret: broker.componentSecret,
    url: `xmpp://127.0.0.1:${proxy.port}`,
    receiveWindow: 50,
    acceptReplyTo: ['*@localhost', 'owner', 'admin', 'member', 'none'],
    timeout: '5s',
  };
  const ground = kind === 'room' ? roomGround(broker, id, peer) : contactGround(broker, peer, domain);
  await Promise.all(ground.clients.map((client) => client.online()));
  await ground.ready?.();
  return {
    connection,
    tls: {
      connection: { ...connection, url: `xmpps://127.0.0.1:${front.port}` },
      ca: broker.ca,
      cert: broker.tls.clientCertificate,
      key: broker.tls.clientKey,
    },
    badCredentials: { ...connection, secret: 'canary-wrong-secret' },
    ...ground.keys,
    peer: ground.peer,
    ...faults(broker, proxy, ground.clients),
    async close() {
      await Promise.all([proxy.close(), ...ground.clients.map((client) => client.close())]);
    },
  };
}

function contactGround(broker: XmppServer, username: string, domain: string) {
  const client: StockClient = stockClient({ service: broker.urls.plain, username, password: PASSWORD });
  return {
    ready: undefined,
    clients: [client],
    keys: {
      source: { contact: 'in' },
      otherSource: { contact: 'other' },
      target: { jid: `${username}@localhost`, from: 'out' },
    },
    peer: contractPeer(
      { source: { client, to: `in@${domain}` }, other: { client, to: `other@${domain}` } },
      'chat',
      ({ attrs }) => String(attrs.from) === `out@${domain}` && attrs.type === 'chat',
    ),
  };
}

interface TlsFront {
  readonly port: number;
  close(): Promise<void>;
}

/** TLS in front of the port for components, as an operator puts it there: the servers themselves offer none. */
async function tlsFront({ ports, tls, ca }: XmppServer): Promise<TlsFront> {
  const [key, cert, authority] = [tls.key, tls.certificate, ca].map((file) => readFileSync(file));
  const options = { key, cert, ca: authority, requestCert: true, rejectUnauthorized: false };
  const server = createServer(options, (socket) => {
    const upstream = connect({ host: '127.0.0.1', port: ports.component });
    for (const [one, other] of [
      [socket, upstream],
      [upstream, socket],
    ] as const) {
      one.pipe(other);
      one.on('error', () => other.destroy());
      one.on('close', () => other.destroy());
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { port, close: () => new Promise((resolve) => void server.close(() => resolve())) };
}
