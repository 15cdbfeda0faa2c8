import { unique, useSharedBrokers, waitFor } from '@magpie/testkit';
import amqp, { type Channel, type ConsumeMessage } from 'amqplib';
import mqtt, { type MqttClient } from 'mqtt';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type GatewayHome, gatewayHome } from '../support/gateway-process.ts';

const shared = useSharedBrokers('mosquitto', 'rabbitmq');
const name = unique('asks');
let home: GatewayHome;
let device: MqttClient;
let broker: Awaited<ReturnType<typeof amqp.connect>>;
let channel: Channel;

beforeAll(async () => {
  const queues = ['asked', 'work', 'answers'].map((each) => ({ name: `${name}-${each}` }));
  const reply = { timeout: '20s', onTimeout: 'silent' };
  home = await gatewayHome(
    JSON.stringify({
      version: 1,
      gateway: { id: 'magpie' },
      http: { port: 0 },
      connections: {
        floor: { type: 'mqtt', url: `mqtt://127.0.0.1:${shared.mosquitto.ports.plain}`, clientId: unique('floor') },
        erp: { type: 'amqp', url: shared.rabbitmq.urls.plain, declare: { queues } },
      },
      routes: {
        inward: {
          from: { connection: 'floor', topic: `${name}/ask` },
          to: { connection: 'erp', queue: `${name}-work` },
          reply: { ...reply, from: { queue: `${name}-answers` }, text: '${text} is ${reply.payload.total}' },
        },
        outward: {
          from: { connection: 'erp', queue: `${name}-asked` },
          to: { connection: 'floor', topic: `${name}/work` },
          reply: { ...reply, from: { topic: `${name}/answers` }, payload: { of: '${text}', is: '${reply.text}' } },
        },
      },
    }),
  );
  await home.start();
  device = await mqtt.connectAsync(shared.mosquitto.urls.plain, { protocolVersion: 5 });
  broker = await amqp.connect(shared.rabbitmq.urls.plain);
  channel = await broker.createChannel();
});
afterAll(async () => {
  await Promise.all([home?.remove(), device?.endAsync()]);
  for (const each of ['asked', 'work', 'answers']) await channel.deleteQueue(`${name}-${each}`);
  await broker?.close();
});

it('a request of MQTT 5 is answered by a worker of a queue, with the correlation data of who asked', async () => {
  await channel.consume(
    `${name}-work`,
    (message) => {
      const { replyTo, correlationId } = message?.properties ?? {};
      channel.sendToQueue(replyTo, Buffer.from('{"total":7}'), { correlationId, contentType: 'application/json' });
    },
    { noAck: true },
  );
  const heard: Array<readonly [string, string]> = [];
  device.on('message', (topic, body, { properties }) => {
    if (topic === `${name}/back`) heard.push([body.toString(), String(properties?.correlationData)]);
  });
  await device.subscribeAsync(`${name}/back`, { qos: 1 });
  const properties = { responseTopic: `${name}/back`, correlationData: Buffer.from('mine') };
  await device.publishAsync(`${name}/ask`, 'the sum', { qos: 1, properties });
  await waitFor(() => heard.length > 0, { what: 'the answer' });
  expect(heard).toEqual([['the sum is 7', 'mine']]);
});

it('a request of AMQP is answered by a device of MQTT 5, in the queue of who asked', async () => {
  device.on('message', (topic, body, { properties }) => {
    const { responseTopic = '', correlationData } = properties ?? {};
    if (topic !== `${name}/work`) return;
    device.publish(responseTopic, `done ${body}`, { qos: 1, properties: { correlationData: correlationData! } });
  });
  await device.subscribeAsync(`${name}/work`, { qos: 1 });
  const { queue: replyTo } = await channel.assertQueue('', { exclusive: true });
  const got: ConsumeMessage[] = [];
  await channel.consume(replyTo, (message) => void (message && got.push(message)), { noAck: true });
  channel.sendToQueue(`${name}-asked`, Buffer.from('it'), { replyTo, correlationId: 'c-1' });
  await waitFor(() => got.length > 0, { what: 'the answer' });
  expect(got.map(({ content, properties }) => [JSON.parse(String(content)), properties.correlationId])).toEqual([
    [{ of: 'it', is: 'done it' }, 'c-1'],
  ]);
});
