import { randomBytes } from 'node:crypto';
import { unique, useSharedBrokers, waitFor } from '@magpie/testkit';
import amqp from 'amqplib';
import mqtt from 'mqtt';
import { expect, it } from 'vitest';
import { expectUnharmed, underAttack } from '../kit/attack.ts';
import { foreignEvents } from '../kit/events.ts';
import { ask } from '../kit/http.ts';
import { startVictim, type Victim } from '../kit/victim.ts';

const shared = useSharedBrokers('mosquitto', 'rabbitmq');

/** A message that is larger than what a gateway takes by default, in one way or another. */
interface Large {
  readonly body: Buffer;
  readonly headers: Readonly<Record<string, string>>;
}

const headersOf = (count: number, bytes: number): Large['headers'] =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`h${index}`, 'x'.repeat(bytes)]));

const LARGE: Readonly<Record<string, Large>> = {
  'a body of 3 MB': {
    body: Buffer.concat([Buffer.alloc(3 * 1024 * 1024 - 8, 'x'), randomBytes(8)]),
    headers: { h0: 'x' },
  },
  'a body one byte above the limit': { body: Buffer.alloc(1024 * 1024 + 1, 'y'), headers: {} },
  '65 headers': { body: Buffer.from('65 headers'), headers: headersOf(65, 1) },
  '1,000 headers': { body: Buffer.from('1,000 headers'), headers: headersOf(1000, 10) },
  'headers of 60 kB': { body: Buffer.from('60 kB'), headers: headersOf(10, 6000) },
};

/** Messages that the gateway has acknowledged: as they stand in its log and in its dead letters. */
async function keptBy(victim: Victim): Promise<readonly { readonly bytes: number; readonly headers: number }[]> {
  const { deadLetters } = JSON.parse((await ask(`${victim.url}/v1/dead-letters?limit=200`)).body);
  const letters = await Promise.all(
    deadLetters.map(
      async ({ id }: { id: string }) => JSON.parse((await ask(`${victim.url}/v1/dead-letters/${id}`)).body).event,
    ),
  );
  return [...(await foreignEvents(victim)), ...letters].map(({ text, base64, headers = [] }) => ({
    bytes: base64 === undefined ? Buffer.byteLength(text ?? '') : Buffer.from(base64, 'base64').byteLength,
    headers: headers.length,
  }));
}

const whole = ({ body, headers }: Large) => ({ bytes: body.byteLength, headers: Object.keys(headers).length });
const inOrder = (all: readonly object[]): readonly string[] => all.map((each) => JSON.stringify(each)).sort();

it('what is too large for the gateway stays at the AMQP broker or is kept whole, never in part', async () => {
  const queue = unique('large');
  const broker = await amqp.connect(shared.rabbitmq.urls.plain);
  const channel = await broker.createConfirmChannel();
  await channel.assertQueue(`${queue}-dead`, { durable: false });
  const options = { durable: false, deadLetterExchange: '', deadLetterRoutingKey: `${queue}-dead` };
  await channel.assertQueue(queue, options);
  const victim = await startVictim({
    connections: { erp: { type: 'amqp', url: shared.rabbitmq.urls.plain }, out: { type: 'memory', broker: queue } },
    routes: { all: { from: { connection: 'erp', queue }, to: { connection: 'out', channel: 'x' } } },
  });
  const outcome = await underAttack(victim, async () => {
    for (const { body, headers } of Object.values(LARGE)) channel.sendToQueue(queue, body, { headers });
    await channel.waitForConfirms();
    channel.sendToQueue(queue, Buffer.from('the last one'));
    const stored = async () => (await foreignEvents(victim)).some(({ text }) => text === 'the last one');
    await waitFor(stored, { what: 'the message behind them', timeout: 20_000, interval: 100 });
    return Object.keys(LARGE).length;
  });
  expectUnharmed(outcome, { growth: 200 });
  const left: { bytes: number; headers: number }[] = [];
  for (const name of [queue, `${queue}-dead`])
    for (
      let message = await channel.get(name, { noAck: true });
      message;
      message = await channel.get(name, { noAck: true })
    ) {
      const names = Object.keys(message.properties.headers ?? {}).filter((each) => !each.startsWith('x-'));
      left.push({ bytes: message.content.byteLength, headers: names.length });
    }
  await broker.close();
  const found = [...(await keptBy(victim)), ...left];
  expect(inOrder(found)).toEqual(inOrder([...Object.values(LARGE).map(whole), { bytes: 12, headers: 0 }]));
});

it('what is acknowledged to an MQTT broker is kept whole', async () => {
  const topic = unique('large');
  const url = shared.mosquitto.urls.plain;
  const { username, password, host } = new URL(url);
  const victim = await startVictim({
    gateway: { limits: { maxBodyBytes: '1MiB' } },
    connections: {
      floor: { type: 'mqtt', url: `mqtt://${host}`, username, password, clientId: unique('floor') },
      out: { type: 'memory', broker: topic },
    },
    routes: { all: { from: { connection: 'floor', topic, qos: 1 }, to: { connection: 'out', channel: 'x' } } },
  });
  const device = await mqtt.connectAsync(url, { protocolVersion: 5 });
  const { 'a body of 3 MB': _, 'a body one byte above the limit': __, ...small } = LARGE;
  const outcome = await underAttack(victim, async () => {
    for (const { body, headers } of Object.values(small))
      await device.publishAsync(topic, body, { qos: 1, properties: { userProperties: { ...headers } } });
    await device.publishAsync(topic, 'the last one', { qos: 1 });
    const stored = async () => (await foreignEvents(victim)).some(({ text }) => text === 'the last one');
    await waitFor(stored, { what: 'the message behind them', timeout: 20_000, interval: 100 });
    return Object.keys(small).length;
  });
  await device.endAsync();
  expectUnharmed(outcome, { growth: 200 });
  expect(inOrder(await keptBy(victim))).toEqual(
    inOrder([...Object.values(small).map(whole), { bytes: 12, headers: 0 }]),
  );
});
