import { gateway } from '../world/gateway.ts';
import { BY_HAND, script } from '../world/script.ts';
import { type BenchPath, type Ends, LOAD, type Running, type Site } from './path.ts';
import { floor, input } from './places.ts';

type Socket = {
  readonly path: string;
  readonly protocol?: string;
  readonly hello?: string;
  readonly greeting?: string;
};

const endsOf =
  (subscribers: number, socket: Socket) =>
  (site: Site, { port = 0 }: Running): Ends => ({
    source: { kind: 'mqtt', port: site.port('mosquitto'), qos: 1, topics: [input(site)] },
    sink: { kind: 'websocket', port, subscribers, ...socket },
  });

/** Messages come in bursts of half a window, the more subscribers the shorter. */
const path = (subscribers: number, window: number, rate: number): BenchPath => ({
  name: `mqtt-ws-${subscribers}`,
  title: `MQTT QoS 1 → ${subscribers.toLocaleString('en-US')} WebSocket${subscribers === 1 ? '' : 's'}`,
  needs: ['mosquitto'],
  ...LOAD,
  window,
  together: window / 2,
  rate,
  copies: subscribers,
  ends: () => {
    throw new Error('every contender has its own stream');
  },
  base: BY_HAND,
  contenders: [
    gateway({
      guarantee: 'resumable: on disk before it is acknowledged, subscribers go on from their last position',
      setup: (site) => ({
        connections: { floor: { ...floor(site), subscribe: [{ topic: input(site), qos: 1 }] } },
        routes: {},
      }),
      ends: endsOf(subscribers, {
        path: '/v1/stream',
        protocol: 'magpie.v1.json',
        hello: JSON.stringify({ type: 'subscribe', id: 's', connection: 'floor' }),
        greeting: '"subscribed"',
      }),
    }),
    script({
      guarantee: 'at most once: acknowledged when received, sent and forgotten',
      file: 'mqtt-websocket.ts',
      settings: (site) => ({ mqttUrl: site.url('mosquitto'), filter: input(site) }),
      ends: endsOf(subscribers, { path: '/' }),
    }),
  ],
  peers: [],
});

/** One, a hundred and a thousand subscribers. */
export const websockets: readonly BenchPath[] = [path(1, 1000, 1000), path(100, 200, 200), path(1000, 50, 20)];
