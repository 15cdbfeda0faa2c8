import { ejabberdMqtt } from '../peers/ejabberd-mqtt.ts';
import { mosquittoBridge } from '../peers/mosquitto-bridge.ts';
import { nodeRedMqtt } from '../peers/node-red.ts';
import { gateway } from '../world/gateway.ts';
import { BY_HAND, script } from '../world/script.ts';
import { type BenchPath, type Ends, LOAD, type Site } from './path.ts';
import { floor, input, output } from './places.ts';

const ends =
  (qos: 0 | 1) =>
  (site: Site): Ends => ({
    source: { kind: 'mqtt', port: site.port('mosquitto'), qos, topics: [input(site)] },
    sink: { kind: 'mqtt', port: site.port('mosquitto2'), qos, filter: output(site) },
  });

const setup = (qos: 0 | 1, source: object) => (site: Site) => ({
  connections: { floor: floor(site), other: floor(site, 'mosquitto2') },
  routes: {
    bench: {
      from: { connection: 'floor', topic: input(site), qos, ...source },
      to: { connection: 'other', topic: output(site), qos },
    },
  },
});

const settings = (site: Site) => ({
  from: site.url('mosquitto'),
  to: site.url('mosquitto2'),
  filter: input(site),
  topic: output(site),
});

/** MQTT QoS 0 from one broker to another, without the log. */
export const mqtt0Mqtt0: BenchPath = {
  name: 'mqtt0-mqtt0',
  title: 'MQTT QoS 0 → MQTT QoS 0',
  needs: ['mosquitto', 'mosquitto2'],
  ...LOAD,
  stallMs: 500,
  ends: ends(0),
  base: BY_HAND,
  contenders: [
    gateway({
      guarantee: 'at most once',
      setup: setup(0, { durability: 'none' }),
      fallback: {
        key: 'durability',
        setup: setup(0, {}),
        note: 'this build has no `durability: none`: every message goes through the log',
      },
    }),
    script({ guarantee: 'at most once', file: 'mqtt0-mqtt0.ts', settings }),
  ],
  peers: [mosquittoBridge(0), ejabberdMqtt(0), nodeRedMqtt(0)],
};

/** MQTT QoS 1 from one broker to another. */
export const mqtt1Mqtt1: BenchPath = {
  name: 'mqtt1-mqtt1',
  title: 'MQTT QoS 1 → MQTT QoS 1',
  needs: ['mosquitto', 'mosquitto2'],
  ...LOAD,
  ends: ends(1),
  base: BY_HAND,
  contenders: [
    gateway({ setup: setup(1, {}) }),
    script({
      guarantee: 'at least once while it runs: acknowledged after the PUBACK, nothing on disk',
      file: 'mqtt1-mqtt1.ts',
      settings,
    }),
  ],
  peers: [mosquittoBridge(1), ejabberdMqtt(1), nodeRedMqtt(1)],
};
