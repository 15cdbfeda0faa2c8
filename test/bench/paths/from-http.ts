import { nodeRedHttp } from '../peers/node-red.ts';
import { DURABLE, gateway } from '../world/gateway.ts';
import { BY_HAND, script } from '../world/script.ts';
import { type BenchPath, type Contender, type Ends, LOAD, type Running, type Site } from './path.ts';
import { floor, input, output } from './places.ts';

/** Requests under way at a time. */
const CONNECTIONS = 256;

type Sink = (site: Site) => Ends['sink'];
const BY_POST: Request = { path: '/messages', before: '', after: '' };

type Request = { readonly path: string; readonly before: string; readonly after: string };

const endsOf =
  (request: (site: Site) => Request, sink: Sink) =>
  (site: Site, { port = 0 }: Running): Ends => ({
    source: { kind: 'http', port, connections: CONNECTIONS, ...request(site) },
    sink: sink(site),
  });

const contenders = (sink: Sink, promise: string): readonly Contender[] => [
  gateway({
    guarantee: promise,
    setup: (site) => ({
      connections: { floor: floor(site) },
      routes: {
        bench: {
          from: { connection: 'http', topic: input(site) },
          to: { connection: 'floor', topic: output(site), qos: 1 },
        },
      },
    }),
    ends: endsOf(
      (site) => ({ path: '/v1/messages', before: `{"topic":"${input(site)}","payload":`, after: '}' }),
      sink,
    ),
  }),
  script({
    guarantee: 'at least once while it runs: 202 after the PUBACK, nothing on disk',
    file: 'http-mqtt.ts',
    settings: (site) => ({ mqttUrl: site.url('mosquitto'), topic: output(site) }),
    ends: endsOf(() => BY_POST, sink),
  }),
];

const path = (name: string, title: string, sink: Sink, promise: string): BenchPath => ({
  name,
  title,
  needs: ['mosquitto'],
  ...LOAD,
  window: CONNECTIONS,
  ends: () => {
    throw new Error('every contender has its own request');
  },
  base: BY_HAND,
  contenders: contenders(sink, promise),
  peers: [nodeRedHttp(endsOf(() => BY_POST, sink))],
});

/** How many requests are accepted. A route to MQTT is served meanwhile, as by the script. */
export const http202: BenchPath = path(
  'http-202',
  'HTTP → 202',
  () => ({ kind: 'answers' }),
  'on disk before the 202, to MQTT after it',
);

/** How many messages go through. */
export const httpMqtt1: BenchPath = path(
  'http-mqtt1',
  'HTTP → MQTT QoS 1',
  (site) => ({ kind: 'mqtt', port: site.port('mosquitto'), qos: 1, filter: output(site) }),
  DURABLE,
);
