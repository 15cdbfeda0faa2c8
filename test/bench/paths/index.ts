import { amqpAmqp, amqpMqtt1 } from './from-amqp.ts';
import { http202, httpMqtt1 } from './from-http.ts';
import { mqtt1Amqp, mqtt1AmqpMapped } from './mqtt-amqp.ts';
import { mqtt0Mqtt0, mqtt1Mqtt1 } from './mqtt-mqtt.ts';
import type { BenchPath } from './path.ts';
import { mqttRoom, roomMqtt } from './rooms.ts';
import { routes, routesSpread, topics } from './scale.ts';
import { websockets } from './to-websocket.ts';

const SMALL: readonly BenchPath[] = [
  mqtt0Mqtt0,
  mqtt1Mqtt1,
  mqtt1Amqp,
  amqpMqtt1,
  amqpAmqp,
  http202,
  httpMqtt1,
  ...websockets,
  mqttRoom,
  roomMqtt,
];

/** The same path with bodies of 4 KB. */
const large = (path: BenchPath): BenchPath => ({
  ...path,
  name: `${path.name}-4k`,
  title: `${path.title}, 4 KB`,
  body: 4096,
});

/** Every path, in the order in which they run. */
export const PATHS: readonly BenchPath[] = [
  ...SMALL,
  ...SMALL.map(large),
  mqtt1AmqpMapped,
  routes,
  routesSpread,
  topics,
];

/** Paths of a quick run: one per budget that brokers and the log decide. */
export const QUICK_PATHS: readonly string[] = [mqtt0Mqtt0, mqtt1Amqp, amqpMqtt1, http202].map(({ name }) => name);
