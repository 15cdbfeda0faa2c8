import type { MosquittoBroker, ProsodyBroker, RabbitmqBroker } from '@magpie/brokers';
import { amqpReader, amqpSender } from './amqp.ts';
import { archiveReader } from './archive.ts';
import type { Reader, Recorder, Sender } from './ends.ts';
import { httpSender } from './http.ts';
import { mqttReader, mqttSender } from './mqtt.ts';

/**
 * The connections of the gateway under test. `yard` is a second one to the broker of `floor`, without a breakable line and
 * without an account: what happens to the others must not touch it.
 */
export type ConnectionName = 'floor' | 'yard' | 'erp' | 'chat';

/** The brokers that a world has; a path needs those of its connections. */
export interface Brokers {
  readonly mosquitto?: MosquittoBroker;
  readonly rabbitmq?: RabbitmqBroker;
  readonly prosody?: ProsodyBroker;
}

/** What the clients beside the gateway talk to: the brokers themselves, never through the proxies. */
export interface Surroundings {
  readonly brokers: Brokers;
  /** URL of the gateway's API right now. */
  gatewayUrl(): string;
}

/** A way through the gateway: a route, a client that sends into it and one that reads what comes out. */
export interface Path {
  readonly name: string;
  /** Where messages come in. */
  readonly source: ConnectionName | 'http';
  /** Connections it depends on. */
  readonly uses: readonly ConnectionName[];
  readonly route: object;
  /** Queues to declare. */
  readonly queues: readonly string[];
  /** How many times slower than the others messages are sent. */
  readonly slowness: number;
  sender(around: Surroundings): Promise<Sender>;
  reader(around: Surroundings, record: Recorder): Promise<Reader>;
}

const ROOM = 'faults@conference.localhost';
/** The account that reads the archive of the room. */
const WITNESS = { name: 'witness', password: 'witness-secret' };

/** What the paths need of Prosody: a room that outlives its last occupant, since its archive goes with it. */
export const PROSODY = {
  users: [{ name: 'magpie', password: 'magpie-secret' }, WITNESS],
  extraConfig: ['muc_room_default_persistent = true', 'max_archive_query_results = 250'],
} as const;

const mqttUrl = ({ brokers }: Surroundings): string => existing(brokers.mosquitto).urls.plain;
const amqpUrl = ({ brokers }: Surroundings): string => existing(brokers.rabbitmq).urls.plain;

function existing<T>(broker: T | undefined): T {
  if (broker === undefined) throw new Error('this path needs a broker that the test has not started');
  return broker;
}

/** All paths that the tests know. */
export const PATHS = {
  'MQTT → AMQP': {
    name: 'MQTT → AMQP',
    source: 'floor',
    uses: ['floor', 'erp'],
    route: { from: { connection: 'floor', topic: 'to-amqp/{key}' }, to: { connection: 'erp', queue: 'from-mqtt' } },
    queues: ['from-mqtt'],
    slowness: 1,
    sender: (around) => mqttSender(mqttUrl(around), (key) => `to-amqp/${key}`),
    reader: (around, record) => amqpReader(amqpUrl(around), 'from-mqtt', record),
  },
  'AMQP → MQTT': {
    name: 'AMQP → MQTT',
    source: 'erp',
    uses: ['erp', 'floor'],
    route: { from: { connection: 'erp', queue: 'to-mqtt' }, to: { connection: 'floor', topic: 'from/amqp' } },
    queues: ['to-mqtt'],
    slowness: 1,
    sender: async (around) => amqpSender(amqpUrl(around), 'to-mqtt'),
    reader: (around, record) => mqttReader(mqttUrl(around), { clientId: 'reads-amqp', filter: 'from/amqp' }, record),
  },
  'HTTP → AMQP': {
    name: 'HTTP → AMQP',
    source: 'http',
    uses: ['erp'],
    route: { from: { connection: 'http', topic: 'to-amqp/{key}' }, to: { connection: 'erp', queue: 'from-http' } },
    queues: ['from-http'],
    slowness: 1,
    sender: async ({ gatewayUrl }) => httpSender(gatewayUrl, (key) => `to-amqp/${key}`),
    reader: (around, record) => amqpReader(amqpUrl(around), 'from-http', record),
  },
  'HTTP → MQTT': {
    name: 'HTTP → MQTT',
    source: 'http',
    uses: ['floor'],
    route: { from: { connection: 'http', topic: 'to-mqtt/{key}' }, to: { connection: 'floor', topic: 'from/http' } },
    queues: [],
    slowness: 1,
    sender: async ({ gatewayUrl }) => httpSender(gatewayUrl, (key) => `to-mqtt/${key}`),
    reader: (around, record) => mqttReader(mqttUrl(around), { clientId: 'reads-http', filter: 'from/http' }, record),
  },
  'HTTP → yard': {
    name: 'HTTP → yard',
    source: 'http',
    uses: ['yard'],
    route: { from: { connection: 'http', topic: 'to-yard/{key}' }, to: { connection: 'yard', topic: 'from/yard' } },
    queues: [],
    slowness: 1,
    sender: async ({ gatewayUrl }) => httpSender(gatewayUrl, (key) => `to-yard/${key}`),
    reader: (around, record) => mqttReader(mqttUrl(around), { clientId: 'reads-yard', filter: 'from/yard' }, record),
  },
  'MQTT → room': {
    name: 'MQTT → room',
    source: 'floor',
    uses: ['floor', 'chat'],
    route: { from: { connection: 'floor', topic: 'to-room/{key}' }, to: { connection: 'chat', room: ROOM } },
    queues: [],
    // Each look into the archive reads all of it: at full speed the witness would keep the server busy.
    slowness: 4,
    sender: (around) => mqttSender(mqttUrl(around), (key) => `to-room/${key}`),
    reader: async ({ brokers }, record) =>
      archiveReader({ broker: existing(brokers.prosody), room: ROOM, user: WITNESS }, record),
  },
} as const satisfies Readonly<Record<string, Path>>;

export type PathName = keyof typeof PATHS;
