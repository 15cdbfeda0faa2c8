/** MQTT QoS 1 → AMQP: a PUBACK goes out once RabbitMQ has confirmed. Nothing is written to disk. */
import amqp from 'amqplib';
import mqtt, { type MqttClient } from 'mqtt';
import { settings } from './settings.ts';

const { mqttUrl = '', amqpUrl = '', filter = '', queue = '', mapped } = settings();

const connection = await amqp.connect(amqpUrl, { noDelay: true });
const channel = await connection.createConfirmChannel();
await channel.assertQueue(queue, { durable: true });
const client = mqtt.connect(mqttUrl, { clean: true, reconnectPeriod: 0 });

/** What a rule with a condition and a mapping does. */
function map(payload: Buffer): Buffer | undefined {
  const { seq, device, severity } = JSON.parse(payload.toString());
  return severity >= 3 ? Buffer.from(JSON.stringify({ seq, device, severity, source: 'floor' })) : undefined;
}

client.handleMessage = (packet, done) => {
  const acknowledge = (): void => sendPuback(client, packet.messageId);
  const payload = Buffer.from(packet.payload);
  const body = mapped ? map(payload) : payload;
  if (body) channel.publish('', queue, body, { persistent: true }, (error) => error || acknowledge());
  else acknowledge();
  // An error is the only answer that lets the client read on without a PUBACK.
  done(new Error('acknowledged later'));
};
client.on('connect', () => {
  // Without this, a small packet waits up to 40 ms for its predecessor's acknowledgement.
  Reflect.get(client.stream, 'setNoDelay')?.call(client.stream, true);
  client.subscribe(filter, { qos: 1 }, () => console.log('ready'));
});

function sendPuback(to: MqttClient, messageId: number | undefined): void {
  Reflect.get(to, '_sendPacket').call(to, { cmd: 'puback', messageId });
}
