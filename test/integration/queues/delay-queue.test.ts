import { unique, useSharedBrokers, waitFor } from '@magpie/testkit';
import amqp from 'amqplib';
import { expect, it, onTestFinished } from 'vitest';
import { gatewayHome } from '../../support/gateway-process.ts';

const shared = useSharedBrokers('rabbitmq');

it('a message of the gateway that comes back from a delay queue is taken where a route says so, else counted', async () => {
  const name = unique('delay');
  const queue = (from: string, to: string) => ({
    name: `${name}-${from}`,
    arguments: {
      'x-message-ttl': 100,
      'x-dead-letter-exchange': '',
      'x-dead-letter-routing-key': `${name}-${to}`,
    },
  });
  const queues = ['late', 'unseen', 'out'].map((each) => ({ name: `${name}-${each}` }));
  const home = await gatewayHome(
    JSON.stringify({
      version: 1,
      gateway: { id: name },
      http: { port: 0 },
      connections: {
        erp: {
          type: 'amqp',
          url: shared.rabbitmq.urls.plain,
          declare: { queues: [queue('delay', 'late'), queue('lost', 'unseen'), ...queues] },
        },
      },
      routes: {
        out: {
          from: { connection: 'http', topic: 'later' },
          to: ['delay', 'lost'].map((each) => ({ id: each, connection: 'erp', queue: `${name}-${each}` })),
        },
        back: {
          from: { connection: 'erp', queue: `${name}-late` },
          acceptOwn: true,
          to: { connection: 'erp', queue: `${name}-out` },
        },
        unseen: {
          from: { connection: 'erp', queue: `${name}-unseen` },
          to: { connection: 'erp', queue: `${name}-out` },
        },
      },
    }),
  );
  onTestFinished(() => home.remove());
  const { url } = await home.start();
  const broker = await amqp.connect(shared.rabbitmq.urls.plain);
  onTestFinished(() => broker.close());
  const channel = await broker.createChannel();
  const got: string[] = [];
  await channel.consume(`${name}-out`, (message) => got.push(String(message?.content)), { noAck: true });
  const published = await fetch(`${url}/v1/messages`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ topic: 'later', text: 'in a while' }),
  });
  expect(published.status).toBe(202);
  const counters = async (): Promise<Record<string, number>> =>
    JSON.parse(await (await fetch(`${url}/v1/connections/erp`)).text()).counters;
  await waitFor(async () => (await counters())['own-returned'] === 1, {
    what: 'the count of the one that nobody takes',
    timeout: 20_000,
    interval: 100,
  });
  await waitFor(() => got.length > 0, { what: 'the one that a route takes' });
  expect(got).toEqual(['in a while']);
  for (const each of ['delay', 'lost', 'late', 'unseen', 'out']) await channel.deleteQueue(`${name}-${each}`);
});
