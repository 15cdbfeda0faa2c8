/** MQTT QoS 1 → AMQP: a PUBACK goes out once RabbitMQ has confirmed. With `mapped`, a condition and a new body as well. */
import * as queues from './amqp-queue.ts';
import { connect, receive } from './mqtt-client.ts';
import { settings } from './settings.ts';

const { mqttUrl = '', amqpUrl = '', filter = '', queue = '', mapped } = settings();

const channel = await (await queues.connect(amqpUrl)).createConfirmChannel();
await channel.assertQueue(queue, { durable: true });

function map(payload: Buffer): Buffer | undefined {
  const { seq, device, severity } = JSON.parse(payload.toString());
  return severity >= 3 ? Buffer.from(JSON.stringify({ seq, device, severity, source: 'floor' })) : undefined;
}

await receive(await connect(mqttUrl), filter, (payload, acknowledge) => {
  const body = mapped ? map(payload) : payload;
  if (body) channel.publish('', queue, body, { persistent: true }, (error) => error || acknowledge());
  else acknowledge();
});
console.log('ready');
