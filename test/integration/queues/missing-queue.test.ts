import { unique, useSharedBrokers, waitFor } from '@magpie/testkit';
import amqp, { type ConfirmChannel } from 'amqplib';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type GatewayHome, type GatewayProcess, gatewayHome } from '../../support/gateway-process.ts';

const shared = useSharedBrokers('rabbitmq');

interface ShownTarget {
  readonly suspended: boolean;
  readonly places: readonly { readonly place: string; readonly error: string; readonly waiting: number }[];
}

let home: GatewayHome;
let gateway: GatewayProcess;
let connection: Awaited<ReturnType<typeof amqp.connect>>;
let broker: ConfirmChannel;
const prefix = unique('places');
const names = {
  here: `${prefix}-here`,
  there: `${prefix}-there`,
  missing: `${prefix}-missing`,
  inbox: `${prefix}-inbox`,
};

beforeAll(async () => {
  connection = await amqp.connect(shared.rabbitmq.urls.plain);
  broker = await connection.createConfirmChannel();
  for (const queue of [names.here, names.there]) await broker.assertQueue(queue);
  home = await gatewayHome(
    JSON.stringify({
      version: 1,
      gateway: { id: 'places', dataDir: './data' },
      http: { port: 0 },
      connections: { erp: { type: 'amqp', url: shared.rabbitmq.urls.plain } },
      routes: {
        inbox: {
          from: { connection: 'erp', queue: names.inbox },
          to: [{ connection: 'erp', queue: names.here }],
        },
        orders: {
          from: { connection: 'http', topic: 'orders/{queue}' },
          to: [{ connection: 'erp', queue: '${queue}', id: 'queues' }],
        },
      },
    }),
  );
  gateway = await home.start();
});
afterAll(async () => {
  await home?.remove();
  for (const queue of Object.values(names)) await broker?.deleteQueue(queue);
  await connection?.close();
});

const get = async <T>(path: string): Promise<T> => (await (await fetch(`${gateway.url}${path}`)).json()) as T;

/** Publishes texts in order, each accepted before the next. */
async function publish(messages: readonly { readonly queue: string; readonly text: string }[]): Promise<void> {
  for (const { queue, text } of messages) {
    const response = await fetch(`${gateway.url}/v1/messages`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ topic: `orders/${queue}`, text }),
    });
    expect(response.status).toBe(202);
  }
}

/** Reads a queue until it has so many messages, and then whatever else is there. */
async function read(queue: string, count: number): Promise<string[]> {
  const texts: string[] = [];
  await waitFor(
    async () => {
      for (let message = await broker.get(queue, { noAck: true }); message; ) {
        texts.push(message.content.toString());
        message = await broker.get(queue, { noAck: true });
      }
      return texts.length >= count;
    },
    { what: `${count} messages in ${queue}`, timeout: 30_000 },
  );
  return texts;
}

const alarms = async (): Promise<readonly string[]> => (await get<{ alarms: string[] }>('/v1')).alarms;

const target = async (): Promise<ShownTarget> => {
  const { targets } = await get<{ targets: (ShownTarget & { consumer: string })[] }>('/v1/targets');
  return targets.find(({ consumer }) => consumer === 'orders/queues')!;
};

it('a missing queue holds only what goes to it: others arrive in order, nothing is repeated by a restart, and the held ones come once it exists', async () => {
  const others = Array.from({ length: 200 }, (_, index) => ({
    queue: index % 2 === 0 ? names.here : names.there,
    text: `other ${index}`,
  }));
  const held = Array.from({ length: 20 }, (_, index) => ({ queue: names.missing, text: `held ${index}` }));
  await publish(others.flatMap((other, index) => (index % 10 === 0 ? [held[index / 10]!, other] : [other])));

  for (const queue of [names.here, names.there]) {
    const expected = others.filter((each) => each.queue === queue).map(({ text }) => text);
    expect(await read(queue, 100)).toEqual(expected);
  }
  const shown = await waitFor(async () => ((await target()).places[0]?.waiting === 20 ? target() : undefined), {
    what: 'the suspended place',
  });
  expect(shown).toMatchObject({
    suspended: false,
    places: [{ place: `queue:${names.missing}`, error: expect.stringContaining('does not exist') }],
  });

  expect(await alarms()).toEqual([
    `connection erp, queue ${names.inbox}: missing`,
    expect.stringContaining(`queue:${names.missing} takes nothing since`),
  ]);
  const lines = gateway.logs().split('\n');
  expect(lines.filter((line) => line.includes(`"place":"queue ${names.inbox}"`))).toEqual([
    expect.stringMatching(/"level":"warn".*"connection":"erp".*"reason":"missing"/),
  ]);
  expect(lines.filter((line) => line.includes(`"place":"queue:${names.missing}"`))).toEqual([
    expect.stringMatching(/"connection":"erp".*"ref":"/),
  ]);

  expect(await gateway.terminate()).toBe(0);
  gateway = await home.start();
  await publish([{ queue: names.here, text: 'after the restart' }]);
  expect(await read(names.here, 1)).toEqual(['after the restart']);

  for (const queue of [names.missing, names.inbox]) await broker.assertQueue(queue);
  expect(await read(names.missing, 20)).toEqual(held.map(({ text }) => text));
  expect((await get<{ deadLetters: unknown[] }>('/v1/dead-letters')).deadLetters).toEqual([]);
  await waitFor(async () => (await alarms()).length === 0, { what: 'the end of all alarms', timeout: 60_000 });
});
