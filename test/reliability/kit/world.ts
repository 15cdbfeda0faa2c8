import { type TcpProxy, tcpProxy } from '@magpie/testkit';
import { type GatewayHome, type GatewayProcess, gatewayHome, waitReady } from '../../support/gateway-process.ts';
import type { Reader, Recorder, Sender } from './clients/ends.ts';
import {
  type Brokers,
  type ConnectionName,
  PATHS,
  type Path,
  type PathName,
  type Surroundings,
} from './clients/paths.ts';

/** The gateway's own limits in these tests: short silences, and windows small enough to see them in the duplicates. */
export const LIMITS = {
  receiveMaximum: 100,
  prefetch: 100,
  maxInflight: 100,
  /** Unconfirmed messages on an AMQP channel: not configurable. */
  targetWindow: 1000,
  keepaliveMs: 2000,
} as const;

/** One path with its clients connected. */
export interface OpenPath extends Path {
  readonly client: Sender;
  /** Whom to tell what arrives; one trial at a time listens. */
  listen(record: Recorder): void;
}

/** A gateway in a process of its own, a breakable line to each broker, and clients that use the brokers directly. */
export interface World {
  readonly home: GatewayHome;
  /** The gateway that runs now. */
  readonly gateway: GatewayProcess;
  readonly proxies: Readonly<Partial<Record<ConnectionName, TcpProxy>>>;
  readonly paths: readonly OpenPath[];
  /** Starts the gateway again after it has ended. */
  restart(options?: { readonly ready?: boolean }): Promise<void>;
  close(): Promise<void>;
}

/** What a test may choose about the gateway. */
export interface WorldOptions {
  /** Where its data lies; by default beside its configuration. */
  readonly dataDir?: string;
  /** Routes beside those of the paths, by name. */
  readonly routes?: Readonly<Record<string, object>>;
  /** Settings of its connections, beside those that every world has. */
  readonly connections?: Readonly<Partial<Record<ConnectionName, object>>>;
  /** Options of its runtime. */
  readonly nodeFlags?: readonly string[];
}

/** Starts a gateway with the routes of these paths, and connects the clients. */
export async function openWorld(
  brokers: Brokers,
  names: readonly PathName[],
  options: WorldOptions = {},
): Promise<World> {
  const wanted: readonly Path[] = names.map((name) => PATHS[name]);
  const proxies = await openProxies(brokers, wanted);
  const home = await gatewayHome(
    JSON.stringify(configuration(brokers, proxies, wanted, options)),
    'magpie.yaml',
    options.nodeFlags,
  );
  let gateway = await home.start();
  const around: Surroundings = { brokers, gatewayUrl: () => gateway.url };
  const readers: Reader[] = [];
  const paths: OpenPath[] = [];
  for (const path of wanted) {
    let record: Recorder | undefined;
    readers.push(await path.reader(around, (...message) => record?.(...message)));
    const listen = (next: Recorder): void => {
      record = next;
    };
    paths.push({ ...path, client: await path.sender(around), listen });
  }
  return {
    home,
    get gateway() {
      return gateway;
    },
    proxies,
    paths,
    restart: async (options) => {
      gateway = await home.start(options);
    },
    close: async () => {
      await Promise.all([...paths.map(({ client }) => client.close()), ...readers.map((reader) => reader.close())]);
      await home.remove();
      await Promise.all(Object.values(proxies).map((proxy) => proxy.close()));
    },
  };
}

/** Waits until every connection of the gateway is up. */
export const ready = (world: World): Promise<void> => waitReady(world.gateway);

/** A breakable line to each broker that the paths need. */
async function openProxies(brokers: Brokers, paths: readonly Path[]): Promise<World['proxies']> {
  const used = new Set(paths.flatMap(({ uses }) => uses));
  const line = (port: number | undefined): Promise<TcpProxy> => tcpProxy({ port: port ?? 0 });
  return {
    ...(used.has('floor') ? { floor: await line(brokers.mosquitto?.ports.plain) } : {}),
    ...(used.has('erp') ? { erp: await line(brokers.rabbitmq?.ports.plain) } : {}),
    ...(used.has('chat') ? { chat: await line(brokers.prosody?.ports.plain) } : {}),
  };
}

function configuration(
  brokers: Brokers,
  { floor, erp, chat }: World['proxies'],
  paths: readonly Path[],
  { dataDir = './data', routes = {}, connections = {} }: WorldOptions,
): object {
  const yard = paths.some(({ uses }) => uses.includes('yard')) && brokers.mosquitto;
  return {
    version: 1,
    gateway: { id: 'faults', dataDir },
    http: { port: 0 },
    connections: {
      ...(floor ? { floor: { ...floorConnection(floor), ...connections.floor } } : {}),
      ...(yard ? { yard: { type: 'mqtt', url: yard.urls.anonymous, clientId: 'faults-yard' } } : {}),
      ...(erp && brokers.rabbitmq
        ? { erp: { ...erpConnection(erp.url(brokers.rabbitmq.urls.plain), paths), ...connections.erp } }
        : {}),
      ...(chat && brokers.prosody
        ? { chat: { ...chatConnection(chat, brokers.prosody.ca), ...connections.chat } }
        : {}),
    },
    routes: { ...Object.fromEntries(paths.map(({ name, route }) => [slug(name), route])), ...routes },
  };
}

const SILENCE = `${LIMITS.keepaliveMs}ms`;

const floorConnection = ({ port }: TcpProxy): object => ({
  type: 'mqtt',
  url: `mqtt://127.0.0.1:${port}`,
  clientId: 'faults-gateway',
  keepalive: SILENCE,
  receiveMaximum: LIMITS.receiveMaximum,
  maxInflight: LIMITS.maxInflight,
});

const erpConnection = (url: string, paths: readonly Path[]): object => ({
  type: 'amqp',
  url,
  heartbeat: SILENCE,
  prefetch: LIMITS.prefetch,
  declare: { queues: paths.flatMap(({ queues }) => queues.map((name) => ({ name }))) },
});

const chatConnection = ({ port }: TcpProxy, ca: string): object => ({
  type: 'xmpp',
  jid: 'magpie@localhost',
  password: 'magpie-secret',
  url: `xmpp://127.0.0.1:${port}`,
  tls: { ca },
  createRooms: true,
  ping: SILENCE,
  timeout: `${2 * LIMITS.keepaliveMs}ms`,
});

const slug = (name: string): string => name.toLowerCase().replace(/[^a-z]+/g, '-');
