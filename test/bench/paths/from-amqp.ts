import { gateway } from '../world/gateway.ts';
import { BY_HAND, script } from '../world/script.ts';
import { type BenchPath, LOAD, type Site } from './path.ts';
import { amqpLogin, erp, floor, input, output } from './places.ts';

const source = (site: Site) => ({ kind: 'amqp', ...amqpLogin(site), exchange: '', routingKey: input(site) }) as const;

/** AMQP → MQTT QoS 1. */
export const amqpMqtt1: BenchPath = {
  name: 'amqp-mqtt1',
  title: 'AMQP → MQTT QoS 1',
  needs: ['rabbitmq', 'mosquitto'],
  ...LOAD,
  ends: (site) => ({
    source: source(site),
    sink: { kind: 'mqtt', port: site.port('mosquitto'), qos: 1, filter: output(site) },
  }),
  base: BY_HAND,
  contenders: [
    gateway({
      setup: (site) => ({
        connections: { floor: floor(site), erp: erp(site, [input(site)]) },
        routes: {
          bench: {
            from: { connection: 'erp', queue: input(site) },
            to: { connection: 'floor', topic: output(site), qos: 1 },
          },
        },
      }),
    }),
    script({
      guarantee: 'at least once: acknowledged after the PUBACK, nothing on its own disk',
      file: 'amqp-mqtt.ts',
      settings: (site) => ({
        amqpUrl: site.url('rabbitmq'),
        mqttUrl: site.url('mosquitto'),
        queue: input(site),
        topic: output(site),
      }),
    }),
  ],
  peers: [],
};

/** AMQP → AMQP on one broker. */
export const amqpAmqp: BenchPath = {
  name: 'amqp-amqp',
  title: 'AMQP → AMQP',
  needs: ['rabbitmq'],
  ...LOAD,
  ends: (site) => ({ source: source(site), sink: { kind: 'amqp', ...amqpLogin(site), queue: output(site) } }),
  base: BY_HAND,
  contenders: [
    gateway({
      setup: (site) => ({
        connections: { erp: erp(site, [input(site), output(site)]) },
        routes: {
          bench: {
            from: { connection: 'erp', queue: input(site) },
            to: { connection: 'erp', queue: output(site) },
          },
        },
      }),
    }),
    script({
      guarantee: 'at least once: acknowledged after the confirm, nothing on its own disk',
      file: 'amqp-amqp.ts',
      settings: (site) => ({ amqpUrl: site.url('rabbitmq'), from: input(site), to: output(site) }),
    }),
  ],
  peers: [],
};
