import { unique, useSharedBrokers, waitFor } from '@magpie/testkit';
import amqp from 'amqplib';
import mqtt from 'mqtt';
import { expect, it } from 'vitest';
import { expectUnharmed, underAttack } from '../kit/attack.ts';
import { ask, post } from '../kit/http.ts';
import { openApp } from '../kit/stream.ts';
import { startVictim } from '../kit/victim.ts';

const shared = useSharedBrokers('mosquitto', 'rabbitmq');

/** Names that mean something to JavaScript. */
const NAMES = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  'valueOf',
  '__defineGetter__',
  'then',
];

it('names that mean something to the language are names like others, in headers, captures, routes and bodies', async () => {
  const name = unique('names');
  const url = shared.mosquitto.urls.plain;
  const { username, password, host } = new URL(url);
  const victim = await startVictim({
    connections: {
      constructor: { type: 'mqtt', url: `mqtt://${host}`, username, password },
      toString: {
        type: 'amqp',
        url: shared.rabbitmq.urls.plain,
        declare: { queues: [{ name }] },
      },
    },
    routes: {
      valueOf: {
        from: { connection: 'http', topic: `${name}/{constructor}/{toString}` },
        let: { hasOwnProperty: 'payload.n' },
        to: [
          { id: 'constructor', connection: 'constructor', topic: `${name}/\${constructor}/\${toString}`, qos: 1 },
          { id: 'toString', connection: 'toString', queue: name },
          {
            id: 'then',
            connection: 'constructor',
            topic: `${name}/mapped`,
            qos: 1,
            payload: { constructor: '${hasOwnProperty}', toString: '${constructor}' },
          },
        ],
      },
    },
  });
  const device = await mqtt.connectAsync(url, { protocolVersion: 5 });
  const got: { readonly topic: string; readonly body: string; readonly names: readonly string[] }[] = [];
  device.on('message', (topic, body, { properties }) =>
    got.push({ topic, body: body.toString(), names: Object.keys(properties?.userProperties ?? {}) }),
  );
  await device.subscribeAsync(`${name}/#`, { qos: 1 });
  const broker = await amqp.connect(shared.rabbitmq.urls.plain);
  const channel = await broker.createChannel();
  const orders: string[][] = [];
  const ordered = (message: amqp.ConsumeMessage | null): void => {
    if (message) orders.push(Object.keys(message.properties.headers ?? {})); // Null: the queue is gone.
  };
  await channel.consume(name, ordered, { noAck: true });
  const app = await openApp(victim.url);
  app.subscribe('__proto__');
  const outcome = await underAttack(victim, async () => {
    for (const each of NAMES) {
      const headers = NAMES.filter((header) => header !== '__proto__').map((header) => [header, 'x']);
      const body = `{"topic":"${name}/${each}/x","payload":{"n":"${each}","constructor":1},"headers":${JSON.stringify(headers)}}`;
      expect((await post(`${victim.url}/v1/messages`, body)).status, each).toBe(202);
      for (const text of [
        `{"topic":"${name}/a/b","text":"x","headers":{"__proto__":"x"}}`,
        `{"topic":"${name}/a/b","payload":{"${each}":{"${each}":1}},"text":"x"}`,
        `{"topic":"${name}/a/b","text":"x","${each}":{}}`,
        `{"to":{"connection":"${each}","${each}":"x"},"text":"x"}`,
      ])
        expect([400, 404, 422], text).toContain((await post(`${victim.url}/v1/messages`, text)).status);
      for (const path of ['messages', 'connections', 'dead-letters', 'targets'])
        expect((await ask(`${victim.url}/v1/${path}/${each}`)).status, `${path}/${each}`).toBeLessThan(500);
      expect((await ask(`${victim.url}/v1/events?connection=${each}&${each}=1`)).status).toBeLessThan(500);
      expect((await ask(`${victim.url}/v1/events?${each}=1`)).status).toBe(400);
    }
    await waitFor(() => got.length === NAMES.length * 2 && orders.length === NAMES.length, {
      what: 'every message',
      timeout: 20_000,
    });
    return NAMES.length * 12;
  });
  await device.endAsync();
  await channel.deleteQueue(name);
  await broker.close();
  expectUnharmed(outcome, { growth: 150 });
  for (const each of NAMES) {
    const direct = got.find(({ topic }) => topic === `${name}/${each}/x`);
    expect(JSON.parse(direct?.body ?? '{}'), each).toEqual({ n: each, constructor: 1 });
    expect(direct?.names, each).toEqual(expect.arrayContaining(NAMES.filter((header) => header !== '__proto__')));
    expect(got.map(({ body }) => body)).toContain(`{"constructor":"${each}","toString":"${each}"}`);
  }
  for (const names of orders)
    expect(names).toEqual(expect.arrayContaining(NAMES.filter((header) => header !== '__proto__')));
  expect(app.errors).toEqual([]);
});
