import { BRIDGE, RECEIVER, SENDER } from '../world/brokers.ts';
import { DURABLE, gateway } from '../world/gateway.ts';
import { BY_HAND, script } from '../world/script.ts';
import { type BenchPath, LOAD, type Site } from './path.ts';
import { floor, input, output } from './places.ts';

const room = ({ name }: Site): string => `${name}@conference.localhost`;

const member = (site: Site, { name, password }: typeof SENDER) =>
  ({ kind: 'xmpp', port: site.port('prosody'), user: name, password, room: room(site) }) as const;

const chat = (site: Site): object => ({
  type: 'xmpp',
  jid: `${BRIDGE.name}@localhost`,
  password: BRIDGE.password,
  url: site.url('prosody'),
  tls: { ca: site.ca('prosody') },
  createRooms: true,
});

const byHand = (file: string) =>
  script({
    guarantee: 'at most once: acknowledged when received, sent and forgotten',
    file,
    settings: (site) => ({
      mqttUrl: site.url('mosquitto'),
      filter: input(site),
      topic: output(site),
      xmppUrl: site.url('prosody'),
      user: BRIDGE.name,
      password: BRIDGE.password,
      room: room(site),
    }),
    env: (site) => ({ NODE_EXTRA_CA_CERTS: site.ca('prosody') }),
  });

/** What a chat server takes is less than what a broker takes. */
const CHAT_LOAD = { ...LOAD, window: 200, rate: 200 } as const;

/** MQTT QoS 1 → XMPP room. */
export const mqttRoom: BenchPath = {
  name: 'mqtt-room',
  title: 'MQTT QoS 1 → XMPP room',
  needs: ['mosquitto', 'prosody'],
  ...CHAT_LOAD,
  ends: (site) => ({
    source: { kind: 'mqtt', port: site.port('mosquitto'), qos: 1, topics: [input(site)] },
    sink: member(site, RECEIVER),
  }),
  base: BY_HAND,
  contenders: [
    gateway({
      setup: (site) => ({
        connections: { floor: floor(site), chat: chat(site) },
        routes: {
          bench: {
            from: { connection: 'floor', topic: input(site), qos: 1 },
            to: { connection: 'chat', room: room(site), text: '${text}' },
          },
        },
      }),
    }),
    byHand('mqtt-room.ts'),
  ],
  peers: [],
};

/** XMPP room → MQTT QoS 1. */
export const roomMqtt: BenchPath = {
  name: 'room-mqtt1',
  title: 'XMPP room → MQTT QoS 1',
  needs: ['prosody', 'mosquitto'],
  ...CHAT_LOAD,
  ends: (site) => ({
    source: member(site, SENDER),
    sink: { kind: 'mqtt', port: site.port('mosquitto'), qos: 1, filter: output(site) },
  }),
  base: BY_HAND,
  contenders: [
    gateway({
      guarantee: `${DURABLE}; at most once across a crash of the gateway`,
      setup: (site) => ({
        connections: { floor: floor(site), chat: chat(site) },
        routes: {
          bench: {
            from: { connection: 'chat', room: room(site) },
            to: { connection: 'floor', topic: output(site), qos: 1 },
          },
        },
      }),
    }),
    byHand('room-mqtt.ts'),
  ],
  peers: [],
};
