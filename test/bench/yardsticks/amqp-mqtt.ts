/** AMQP → MQTT QoS 1: a message is acknowledged once its PUBACK has come in. */
import * as queues from './amqp-queue.ts';
import { connect } from './mqtt-client.ts';
import { settings } from './settings.ts';

const { amqpUrl = '', mqttUrl = '', queue = '', topic = '' } = settings();

const client = await connect(mqttUrl);
const channel = await (await queues.connect(amqpUrl)).createChannel();
await queues.receive(channel, queue, ({ content }, done) => {
  client.publish(topic, content, { qos: 1 }, (error) => error || done());
});
console.log('ready');
