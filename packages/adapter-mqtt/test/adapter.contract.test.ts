import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mqttAdapter } from '@magpie/adapter-mqtt';
import { type MosquittoBroker, startMosquitto } from '@magpie/brokers';
import { type AdapterFixture, type AdapterSite, adapterContract, tcpProxy } from '@magpie/testkit';
import { mqttPeer } from './support/peer.ts';

const WINDOW = 50;

const shared = {
  definition: mqttAdapter,
  limits: { receiveWindow: WINDOW, deadline: 20_000 },
  addresses: ['topic:plant/p7/alarm', 'topic:a//b', 'topic:one'],
} as const;

const oneWindow = 'the window of unacknowledged messages is that of the link, not of a topic';
const noPlaces = 'a broker makes topics as they are used, and what it refuses it refuses for good';
adapterContract({
  ...shared,
  name: 'mqtt 5 on mosquitto',
  start: () => start(5),
  unsupported: { 'refusing-place': noPlaces, 'held-place': oneWindow },
});

const noMetadata = 'MQTT 3.1.1 carries a topic, a body and a retain flag only';
adapterContract({
  ...shared,
  name: 'mqtt 3.1.1 on mosquitto',
  start: () => start('3.1.1'),
  unsupported: {
    'refusing-place': noPlaces,
    'held-place': oneWindow,
    'receive-headers': noMetadata,
    'receive-id': noMetadata,
    'receive-correlation': noMetadata,
    'receive-reply-to': noMetadata,
    'receive-foreign-reply-to': noMetadata,
    'receive-trace': noMetadata,
    'receive-via': noMetadata,
    'receive-content-type': noMetadata,
    'receive-expiry': noMetadata,
    'send-headers': noMetadata,
    'send-id': noMetadata,
    'send-correlation': noMetadata,
    'send-reply-to': noMetadata,
    'send-foreign-reply-to': noMetadata,
    'send-trace': noMetadata,
    'send-content-type': noMetadata,
    'send-via': noMetadata,
    'send-expiry': noMetadata,
  },
});

async function start(version: 5 | '3.1.1'): Promise<AdapterFixture> {
  const dataDir = mkdtempSync(join(tmpdir(), 'magpie-mqtt-contract-'));
  // The window of 3.1.1 is the broker's own; MQTT 5 takes the smaller of it and ours.
  const broker = await startMosquitto({ dataDir, extraConfig: [`max_inflight_messages ${WINDOW}`] });
  return {
    prepare: (id) => prepare(broker, version, id),
    async stop() {
      await broker.stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

async function prepare(broker: MosquittoBroker, version: 5 | '3.1.1', id: string): Promise<AdapterSite> {
  const topics = { source: `${id}/in`, other: `${id}/other`, target: `${id}/out` };
  const peer = await mqttPeer(broker.urls.plain, topics);
  const proxy = await tcpProxy({ port: broker.ports.plain });
  const [user] = broker.users;
  const connection = {
    url: `mqtt://127.0.0.1:${proxy.port}`,
    version,
    username: user.name,
    password: user.password,
    clientId: id,
    keepalive: '2s',
    receiveMaximum: WINDOW,
  };
  return {
    connection,
    tls: {
      connection: { ...connection, url: `mqtts://127.0.0.1:${broker.ports.tls}` },
      ca: broker.ca,
      cert: broker.tls.clientCertificate,
      key: broker.tls.clientKey,
    },
    badCredentials: { ...connection, password: 'canary-wrong-battery' },
    source: { topic: topics.source },
    otherSource: { topic: topics.other },
    target: { topic: topics.target },
    unconfirmedTarget: { topic: topics.target, qos: 0 },
    peer,
    async cutLink() {
      proxy.reset();
      proxy.blackHole(false);
    },
    blackHole: async () => proxy.blackHole(true),
    restoreLink: async () => proxy.blackHole(false),
    stopBroker: () => broker.stop(),
    startBroker: () => broker.restart(),
    async close() {
      await proxy.close();
      await peer.close();
    },
  };
}
