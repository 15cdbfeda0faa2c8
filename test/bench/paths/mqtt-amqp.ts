import { gateway } from '../world/gateway.ts';
import { BY_HAND, script } from '../world/script.ts';
import { type BenchPath, type Ends, LOAD, type Site } from './path.ts';
import { amqpLogin, erp, floor, input, output } from './places.ts';

const ends = (site: Site): Ends => ({
  source: { kind: 'mqtt', port: site.port('mosquitto'), qos: 1, topics: [input(site)] },
  sink: { kind: 'amqp', ...amqpLogin(site), queue: output(site) },
});

/** MQTT QoS 1 → AMQP with confirms: the path of the budget. */
export const mqtt1Amqp: BenchPath = {
  name: 'mqtt1-amqp',
  title: 'MQTT QoS 1 → AMQP',
  needs: ['mosquitto', 'rabbitmq'],
  ...LOAD,
  ends,
  base: BY_HAND,
  contenders: [
    gateway({
      setup: (site) => ({
        connections: { floor: floor(site), erp: erp(site) },
        routes: {
          bench: {
            from: { connection: 'floor', topic: input(site), qos: 1 },
            to: { connection: 'erp', queue: output(site) },
          },
        },
      }),
    }),
    script({
      guarantee: 'at least once while it runs: acknowledged after the confirm, nothing on disk',
      file: 'mqtt-amqp.ts',
      settings: (site) => ({
        mqttUrl: site.url('mosquitto'),
        amqpUrl: site.url('rabbitmq'),
        filter: input(site),
        queue: output(site),
      }),
    }),
  ],
  peers: [],
};
