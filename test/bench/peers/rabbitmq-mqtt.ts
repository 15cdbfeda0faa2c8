import { startRabbitmq } from '@magpie/brokers';
import type { Contender, Site } from '../paths/path.ts';
import { input, output } from '../paths/places.ts';
import { declareQueue } from './declare-queue.ts';
import { freePort } from './free-port.ts';

const NODE_OPTIONS = (port: number): readonly string[] => [
  `mqtt.listeners.tcp.1 = 127.0.0.1:${port}`,
  'mqtt.listeners.ssl = none',
  'mqtt.allow_anonymous = true',
  'mqtt.default_user = magpie',
  'mqtt.default_pass = magpie-secret',
  'mqtt.prefetch = 1000',
];

/** RabbitMQ has one name space: what is published to a topic is routed by `amq.topic`, with dots for slashes. */
const routingKey = (site: Site): string => input(site).replaceAll('/', '.');

/** RabbitMQ's own MQTT plugin, in a RabbitMQ of its own: MQTT in, a queue out. */
export const rabbitmqMqtt: Contender = {
  name: 'RabbitMQ rabbitmq_mqtt',
  guarantee: 'at least once, one broker without a bridge: PUBACK after its confirm, durable queue',
  process: 'peer',
  start: async (site) => {
    const mqtt = await freePort();
    const broker = await startRabbitmq({ plugins: ['rabbitmq_mqtt'], extraConfig: NODE_OPTIONS(mqtt) });
    try {
      await declareQueue(broker.urls.plain, output(site), routingKey(site));
      ports.set(mqtt, broker.ports.plain);
      return { pid: broker.pid ?? 0, port: mqtt, notes: [], stop: broker.stop };
    } catch (error) {
      await broker.stop();
      throw error;
    }
  },
  ends: (site, { port = 0 }) => ({
    source: { kind: 'mqtt', port, qos: 1, topics: [input(site)] },
    sink: {
      ...{ kind: 'amqp', user: 'magpie', password: 'magpie-secret' },
      ...{ port: ports.get(port) ?? 0, queue: output(site) },
    },
  }),
};

/** AMQP ports by the MQTT port of the same node. */
const ports = new Map<number, number>();
