import { nodeRedAmqp } from '../peers/node-red.ts';
import { rabbitmqMqtt } from '../peers/rabbitmq-mqtt.ts';
import { type GatewaySetup, gateway } from '../world/gateway.ts';
import { BY_HAND, script } from '../world/script.ts';
import { type BenchPath, type Ends, LOAD, type Site } from './path.ts';
import { amqpLogin, erp, floor, input, output } from './places.ts';

/** From topics to the queue. */
export const mqttToAmqp = (site: Site, topics: readonly string[] = [input(site)]): Ends => ({
  source: { kind: 'mqtt', port: site.port('mosquitto'), qos: 1, topics },
  sink: { kind: 'amqp', ...amqpLogin(site), queue: output(site) },
});

/** One route from a topic to the queue; `target` adds to it. */
export const mqttToAmqpRoute = (site: Site, topic = input(site), target: object = {}): object => ({
  from: { connection: 'floor', topic, qos: 1 },
  to: { connection: 'erp', queue: output(site), ...target },
});

/** The gateway between both, with these routes. */
export const mqttToAmqpSetup = (site: Site, routes: Readonly<Record<string, object>>): GatewaySetup => ({
  connections: { floor: floor(site), erp: erp(site) },
  routes,
});

const byHand = (mapped: boolean) =>
  script({
    guarantee: 'at least once while it runs: acknowledged after the confirm, nothing on disk',
    file: 'mqtt-amqp.ts',
    settings: (site) => ({
      mqttUrl: site.url('mosquitto'),
      amqpUrl: site.url('rabbitmq'),
      filter: input(site),
      queue: output(site),
      ...(mapped ? { mapped: 'yes' } : {}),
    }),
  });

const plain = gateway({ setup: (site) => mqttToAmqpSetup(site, { bench: mqttToAmqpRoute(site) }) });

/** MQTT QoS 1 → AMQP with confirms: the path of the budget. */
export const mqtt1Amqp: BenchPath = {
  name: 'mqtt1-amqp',
  title: 'MQTT QoS 1 → AMQP',
  needs: ['mosquitto', 'rabbitmq'],
  ...LOAD,
  ends: (site) => mqttToAmqp(site),
  base: BY_HAND,
  contenders: [plain, byHand(false)],
  peers: [rabbitmqMqtt, nodeRedAmqp],
};

const MAPPING = {
  payload: { seq: '${payload.seq}', device: '${payload.device}', severity: '${payload.severity}', source: 'floor' },
};

/** The same with a condition and a new body. */
export const mqtt1AmqpMapped: BenchPath = {
  ...mqtt1Amqp,
  name: 'mqtt1-amqp-mapped',
  title: 'MQTT QoS 1 → AMQP, with `when` and a new body',
  contenders: [
    gateway({
      name: 'Magpie, mapped',
      setup: (site) =>
        mqttToAmqpSetup(site, {
          bench: { ...mqttToAmqpRoute(site, input(site), MAPPING), when: 'payload.severity >= 3' },
        }),
    }),
    { ...plain, name: 'Magpie, unchanged' },
    byHand(true),
  ],
  peers: [],
};
