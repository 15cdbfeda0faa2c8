import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { amqpAdapter } from '@magpie/adapter-amqp';
import { type RabbitmqBroker, startRabbitmq } from '@magpie/brokers';
import { type AdapterFixture, type AdapterSite, adapterContract, tcpProxy } from '@magpie/testkit';
import { amqpPeer } from './support/peer.ts';

const PREFETCH = 20;

adapterContract({
  name: 'amqp 0-9-1 on rabbitmq',
  definition: amqpAdapter,
  limits: { receiveWindow: PREFETCH, deadline: 30_000 },
  addresses: ['queue:inbox/plant.pump-7', 'queue:odd%2Fname%25/a.b', 'exchange:alarms/plant.pump-7'],
  start,
});

async function start(): Promise<AdapterFixture> {
  const dataDir = mkdtempSync(join(tmpdir(), 'magpie-amqp-contract-'));
  const broker = await startRabbitmq({ dataDir });
  return {
    prepare: (id) => prepare(broker, id),
    async stop() {
      await broker.stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

async function prepare(broker: RabbitmqBroker, id: string): Promise<AdapterSite> {
  const queues = { source: `${id}-in`, other: `${id}-other`, target: `${id}-out` };
  const peer = await amqpPeer(broker.urls.plain, queues);
  const proxy = await tcpProxy({ port: broker.ports.plain });
  const [user] = broker.users;
  const connection = {
    url: `amqp://127.0.0.1:${proxy.port}`,
    username: user.name,
    password: user.password,
    prefetch: PREFETCH,
    heartbeat: '1s',
  };
  return {
    connection,
    tls: {
      connection: { ...connection, url: `amqps://127.0.0.1:${broker.ports.tls}` },
      ca: broker.ca,
      cert: broker.tls.clientCertificate,
      key: broker.tls.clientKey,
    },
    badCredentials: { ...connection, password: 'canary-wrong-battery' },
    source: { queue: queues.source },
    otherSource: { queue: queues.other },
    target: { queue: queues.target },
    refusing: { target: { queue: `${id}-missing` }, open: () => peer.declare(`${id}-missing`) },
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
