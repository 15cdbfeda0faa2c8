import { setTimeout as sleep } from 'node:timers/promises';
import { unique, useSharedBrokers, waitFor } from '@magpie/testkit';
import amqp from 'amqplib';
import mqtt from 'mqtt';
import { expect, it } from 'vitest';
import { gatewayHome } from '../../support/gateway-process.ts';

const shared = useSharedBrokers('mosquitto', 'rabbitmq', 'prosody');

it('SIGTERM under load ends the gateway with 0 within 10 s; nothing acknowledged is missing after the next start', async () => {
  const { mosquitto, rabbitmq, prosody } = shared;
  const name = unique('terminate');
  const office = await amqp.connect(rabbitmq.urls.plain);
  const channel = await office.createChannel();
  await channel.assertQueue(name, { durable: false, autoDelete: false });
  const arrived = new Set<string>();
  await channel.consume(name, (message) => message && arrived.add(message.content.toString()), { noAck: true });
  const login = { username: 'magpie', password: 'magpie-secret' };
  const home = await gatewayHome(
    JSON.stringify({
      version: 1,
      gateway: { id: name },
      http: { port: 0 },
      connections: {
        floor: { type: 'mqtt', url: `mqtt://127.0.0.1:${mosquitto.ports.plain}`, ...login },
        erp: { type: 'amqp', url: `amqp://127.0.0.1:${rabbitmq.ports.plain}`, ...login },
        chat: {
          type: 'xmpp',
          jid: 'bob@localhost',
          password: 'bob-secret',
          url: prosody.urls.plain,
          tls: { ca: prosody.ca },
        },
      },
      routes: { all: { from: { connection: 'floor', topic: `${name}/#` }, to: { connection: 'erp', queue: name } } },
    }),
  );
  const gateway = await home.start();
  const device = await mqtt.connectAsync(mosquitto.urls.plain);
  const sent: string[] = [];
  const load = { on: true };
  const loading = (async () => {
    while (load.on) {
      const body = `${sent.length}`;
      await device.publishAsync(`${name}/${sent.length % 7}`, body, { qos: 1 });
      sent.push(body);
      await sleep(2);
    }
  })();
  await waitFor(() => arrived.size > 100, { what: 'some load' });
  const before = performance.now();
  const code = await gateway.terminate();
  const took = performance.now() - before;
  load.on = false;
  await loading;
  expect({ code, withinTenSeconds: took < 10_000 }, gateway.logs()).toEqual({ code: 0, withinTenSeconds: true });
  await home.start();
  await waitFor(() => sent.every((body) => arrived.has(body)), {
    what: `all ${sent.length} messages`,
    timeout: 15_000,
  });
  await device.endAsync();
  await channel.deleteQueue(name);
  await office.close();
  await home.remove();
});
