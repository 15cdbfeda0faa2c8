import type { ProsodyBroker } from '@magpie/brokers';
import { type AmqpSide, amqpSide } from './amqp-side.ts';
import { gatewayHome } from './gateway-process.ts';
import { httpSide, type Watcher, watch } from './http-side.ts';
import { SOURCES, type Source, type SourceName, slug, TARGETS, type Target, type TargetName } from './message.ts';
import { type MqttSide, mqttSide } from './mqtt-side.ts';
import { type ChatSide, chatSide, roomSide, type Speaker } from './xmpp-side.ts';

/** Where the brokers of a matrix are. */
export interface MatrixBrokers {
  readonly mqtt: string;
  readonly amqp: string;
  readonly prosody: ProsodyBroker;
}

/** A gateway that carries everything everywhere, and an independent client of each protocol around it. */
export interface Matrix {
  readonly sources: Readonly<Record<SourceName, Source>>;
  readonly targets: Readonly<Record<TargetName, Target>>;
  /** The sources as which a person can speak. */
  readonly speakers: Readonly<Record<'XMPP chat' | 'XMPP room', Speaker>>;
  readonly mqtt: MqttSide;
  readonly amqp: AmqpSide;
  readonly chat: ChatSide;
  readonly watcher: Watcher;
  close(): Promise<void>;
}

/** The id of the gateway: its mark in `via`. */
export const GATEWAY_ID = 'matrix';

const CONNECTION: Readonly<Record<SourceName | TargetName, string>> = {
  ...{ 'XMPP chat': 'chat', 'XMPP room': 'chat', MQTT: 'floor', AMQP: 'erp', HTTP: 'http', WebSocket: 'http' },
};

/** Starts the gateway and connects everyone. `prefix` keeps the names apart from those of other tests. */
export async function matrixWorld(brokers: MatrixBrokers, prefix: string): Promise<Matrix> {
  let url = '';
  const [mqtt, amqp, room] = [
    await mqttSide(brokers.mqtt, prefix),
    await amqpSide(brokers.amqp, prefix),
    roomSide(prefix),
  ];
  const chat = await chatSide(brokers.prosody, 'magpie@localhost');
  const sources = { 'XMPP chat': chat, 'XMPP room': room, MQTT: mqtt, AMQP: amqp, HTTP: httpSide(() => url, prefix) };
  const targets = { 'XMPP chat': chat, 'XMPP room': room, MQTT: mqtt, AMQP: amqp };
  const home = await gatewayHome(JSON.stringify(configuration(brokers, prefix, sources, targets)));
  const gateway = await home.start();
  url = gateway.url;
  const leave = await room.join(brokers.prosody);
  const watcher = await watch(url);
  return {
    sources,
    targets: { ...targets, WebSocket: watcher },
    speakers: { 'XMPP chat': chat, 'XMPP room': room },
    ...{ mqtt, amqp, chat, watcher },
    close: async () => {
      watcher.close();
      await home.remove();
      await Promise.all([mqtt.close(), amqp.close(), chat.close(), leave()]);
    },
  };
}

function configuration(
  brokers: MatrixBrokers,
  prefix: string,
  sources: Matrix['sources'],
  targets: Omit<Matrix['targets'], 'WebSocket'>,
): object {
  const { prosody } = brokers;
  const login = {
    jid: 'magpie@localhost',
    password: 'magpie-secret',
    url: prosody.urls.plain,
    tls: { ca: prosody.ca },
  };
  const routes = SOURCES.flatMap((source) =>
    TARGETS.map((target) => {
      const from = { connection: CONNECTION[source], ...sources[source].from(target) };
      const to = target === 'WebSocket' ? undefined : targets[target].to(source);
      const elsewhere = { connection: 'floor', topic: `${prefix}/unread` };
      return [
        `${slug(source)}-to-${slug(target)}`,
        { from, to: to ? { connection: CONNECTION[target], ...to } : elsewhere },
      ];
    }),
  );
  return {
    version: 1,
    gateway: { id: GATEWAY_ID },
    http: { port: 0 },
    connections: {
      floor: { type: 'mqtt', url: withoutLogin(brokers.mqtt), dedupe: { userProperty: 'dedupe-id' } },
      chat: {
        type: 'xmpp',
        ...login,
        createRooms: true,
        acceptReplyTo: ['*@localhost', 'owner', 'admin', 'member', 'none'],
        subscribe: [{ jid: 'from-http@localhost' }],
      },
      erp: { type: 'amqp', url: brokers.amqp },
    },
    routes: Object.fromEntries(routes),
  };
}

/** The URL as a configuration may hold it. */
function withoutLogin(url: string): string {
  const { protocol, host } = new URL(url);
  return `${protocol}//${host}`;
}
