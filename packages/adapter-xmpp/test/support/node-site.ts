import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { createAccount, type XmppServer } from '@magpie/brokers';
import { type AdapterFixture, type AdapterPeer, type AdapterSite, tcpProxy } from '@magpie/testkit';
import { decodeItem, encodeItem } from '../../src/codec/item.ts';
import { type Element, xml } from '../../src/codec/stanza/element.ts';
import { NS } from '../../src/codec/stanza/namespaces.ts';
import { itemsOf, notificationIn, publishRequest, subscribeRequest } from '../../src/codec/stanza/pubsub.ts';
import { outgoing, type StockClient, stockClient } from './peer.ts';
import { type ServerName, startServer } from './servers.ts';
import { faults } from './site.ts';

const PASSWORD = 'peer-secret';
/** The owner of all nodes, who is the peer. */
const OWNER = 'owner';

/** A real server with nodes of its own and a breakable line for each case. */
export async function nodeFixture(name: ServerName): Promise<AdapterFixture> {
  const broker = await startServer(name, undefined, [OWNER]);
  await createAccount(broker, OWNER, PASSWORD);
  return { prepare: (id) => prepare(broker, id.toLowerCase()), stop: () => broker.stop() };
}

async function prepare(broker: XmppServer, id: string): Promise<AdapterSite> {
  await createAccount(broker, `${id}-own`, PASSWORD);
  const proxy = await tcpProxy({ port: broker.ports.plain });
  const client = stockClient({ service: broker.urls.plain, username: OWNER, password: PASSWORD });
  const ask = (child: Element): Promise<void> =>
    client.send(xml('iq', { type: 'set', to: broker.nodes, id: randomUUID() }, child));
  const node = (name: string): string => `${id}/${name}`;
  for (const name of ['in', 'other', 'out']) await ask(create(node(name), 'open'));
  await ask(create(node('closed'), 'publishers'));
  await ask(subscribeRequest(node('out'), `${OWNER}@localhost`));
  const keys = (name: string) => ({ node: node(name), service: broker.nodes });
  const connection = {
    jid: `${id}-own@localhost`,
    password: PASSWORD,
    url: `xmpp://127.0.0.1:${proxy.port}`,
    tls: { ca: broker.ca },
    receiveWindow: 50,
    timeout: '5s',
  };
  return {
    connection,
    tls: {
      connection: { ...connection, url: broker.urls.plain },
      ca: broker.ca,
      cert: broker.tls.clientCertificate,
      key: broker.tls.clientKey,
    },
    badCredentials: { ...connection, password: 'canary-wrong-password' },
    source: keys('in'),
    otherSource: keys('other'),
    target: keys('out'),
    refusing: { target: keys('closed'), open: () => ask(configure(node('closed'), 'open')) },
    peer: peer(client, ask, node),
    ...faults(broker, proxy, [client]),
    async stopBroker() {
      await sleep(300); // ejabberd writes down what it has in memory ten times a second, a node as well.
      await broker.kill();
    },
    close: async () => void (await Promise.all([proxy.close(), client.close()])),
  };
}

function peer(
  client: StockClient,
  ask: (child: Element) => Promise<void>,
  node: (name: string) => string,
): AdapterPeer {
  const names = { source: node('in'), other: node('other') };
  const isOut = (items: Element | undefined): items is Element => items?.attrs.node === node('out');
  return {
    publish: (message, to = 'source') => ask(publishRequest(names[to], randomUUID(), encodeItem(outgoing(message)))),
    received: () =>
      client.messages.flatMap((message) => {
        const items = notificationIn(message)?.getChild('items');
        return isOut(items) ? itemsOf(items).map(({ payload }) => ({ time: Date.now(), ...decodeItem(payload) })) : [];
      }),
  };
}

const field = (name: string, value: string): Element => xml('field', { var: name }, xml('value', {}, value));

const form = (publishModel: string): Element =>
  xml(
    'x',
    { xmlns: 'jabber:x:data', type: 'submit' },
    field('FORM_TYPE', `${NS.pubsub}#node_config`),
    field('pubsub#publish_model', publishModel),
    field('pubsub#max_items', '100'),
    field('pubsub#send_last_published_item', 'never'),
  );

const create = (node: string, publishModel: string): Element =>
  xml('pubsub', { xmlns: NS.pubsub }, xml('create', { node }), xml('configure', {}, form(publishModel)));

const configure = (node: string, publishModel: string): Element =>
  xml('pubsub', { xmlns: `${NS.pubsub}#owner` }, xml('configure', { node }, form(publishModel)));
