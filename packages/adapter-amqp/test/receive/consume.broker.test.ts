import { setTimeout as sleep } from 'node:timers/promises';
import { type RabbitmqBroker, startRabbitmq } from '@magpie/brokers';
import { waitFor } from '@magpie/testkit';
import { type ChannelModel, type ConfirmChannel, connect } from 'amqplib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Harness, harness, keysFor, never, textOf } from '../support/harness.ts';

let broker: RabbitmqBroker;
let model: ChannelModel;
let operator: ConfirmChannel;

beforeAll(async () => {
  broker = await startRabbitmq();
  model = await connect(broker.urls.plain);
  operator = await model.createConfirmChannel();
});
afterAll(() => broker?.stop());

/** Connects, runs, closes. */
async function using(amqp: Harness, run: (amqp: Harness) => Promise<void>): Promise<void> {
  await amqp.connect();
  try {
    await run(amqp);
  } finally {
    await amqp.close();
  }
}

async function publish(queue: string, ...texts: readonly string[]): Promise<void> {
  for (const text of texts) operator.sendToQueue(queue, Buffer.from(text), { persistent: true });
  await operator.waitForConfirms();
}

const has = (amqp: Harness, text: string) => () => amqp.events.map(textOf).includes(text);

describe('a queue in trouble disturbs no other queue', () => {
  it('a missing queue is shown and taken up when it is created', () =>
    using(harness(keysFor(broker)), async (amqp) => {
      await operator.assertQueue('there');
      await amqp.receive('there', 'absent');
      expect(amqp.details.get('queue absent')).toBe('missing');
      await publish('there', 'one');
      await waitFor(has(amqp, 'one'), { what: 'the message of the other queue' });
      await operator.assertQueue('absent');
      await publish('absent', 'two');
      await waitFor(has(amqp, 'two'), { what: 'the message of the new queue', timeout: 10_000 });
      expect(amqp.details.has('queue absent')).toBe(false);
      expect(amqp.lost).toEqual([]);
    }));

  it('a stream is refused with what to do instead, and others are not', () =>
    using(harness(keysFor(broker)), async (amqp) => {
      await operator.assertQueue('journal', { arguments: { 'x-queue-type': 'stream' } });
      await operator.assertQueue('steady-q', { arguments: { 'x-queue-type': 'quorum' } });
      await amqp.receive('journal', 'steady-q');
      expect(amqp.details.get('queue journal')).toMatch(
        /^not supported: it is a stream; bind a classic or quorum queue/,
      );
      await publish('steady-q', 'taken');
      await waitFor(has(amqp, 'taken'), { what: 'the message of the other queue' });
      expect([...amqp.details.keys()]).toEqual(['queue journal']);
    }));

  it('a queue deleted under load is shown, the others go on, and it comes back', () =>
    using(harness(keysFor(broker)), async (amqp) => {
      await operator.assertQueue('steady');
      await operator.assertQueue('doomed');
      await amqp.receive('steady', 'doomed');
      for (let n = 0; n < 300; n++) {
        await publish(n % 2 === 0 || (n >= 100 && n < 200) ? 'steady' : 'doomed', `m${n}`);
        if (n === 99) await operator.deleteQueue('doomed');
        if (n === 100) await waitFor(() => amqp.details.get('queue doomed') === 'missing', { what: 'the status' });
        if (n === 100) expect([...amqp.troubled]).toEqual(['queue doomed']);
        if (n === 199) await operator.assertQueue('doomed');
      }
      await publish('doomed', 'last');
      await waitFor(has(amqp, 'last'), { what: 'the last message', timeout: 10_000 });
      expect(amqp.troubled.size).toBe(0);
      const texts = new Set(amqp.events.map(textOf));
      const steady = Array.from({ length: 300 }, (_, n) => n).filter((n) => n % 2 === 0 || (n >= 100 && n < 200));
      expect(steady.filter((n) => !texts.has(`m${n}`))).toEqual([]);
      expect(amqp.lost).toEqual([]);
    }));

  it('a queue somebody else holds exclusively is shown as such', () =>
    using(harness(keysFor(broker)), async (amqp) => {
      await operator.assertQueue('private', { exclusive: true, durable: false });
      await amqp.receive('private');
      expect(amqp.details.get('queue private')).toBe('in use by another connection');
      expect([...amqp.troubled], 'a line of the log, and an alarm').toEqual(['queue private']);
    }));
});

it('a message that cannot be stored pauses its queue without a tight loop, and order is kept', () => {
  let full = true;
  const amqp = harness(keysFor(broker), (event) =>
    full && textOf(event) === 'b' ? { type: 'unavailable', reason: 'disk full' } : { type: 'stored' },
  );
  return using(amqp, async () => {
    await operator.assertQueue('pausing');
    await publish('pausing', 'a', 'b', 'c');
    await amqp.receive('pausing');
    await waitFor(() => amqp.details.get('queue pausing') === 'paused: disk full', { what: 'the pause' });
    await sleep(1500);
    const attempts = amqp.events.map(textOf).filter((text) => text === 'b').length;
    expect(attempts).toBeLessThanOrEqual(4);
    full = false;
    const before = amqp.events.length;
    await waitFor(() => amqp.events.length >= before + 2, { what: 'the rest', timeout: 10_000 });
    expect(amqp.events.slice(before).map(textOf)).toEqual(['b', 'c']);
    expect(amqp.events.at(-1)).toMatchObject({ redelivered: true });
    await sleep(200);
    expect(await operator.checkQueue('pausing')).toMatchObject({ messageCount: 0 });
  });
});

it('takes no more than the prefetch of unacknowledged messages, and acknowledges a batch at once', async () => {
  await operator.assertQueue('bulk');
  await publish('bulk', ...Array.from({ length: 50 }, (_, n) => `m${n}`));
  const amqp = harness(keysFor(broker, { prefetch: 10 }));
  await amqp.connect();
  await amqp.connection.receive([], async () => []);
  await amqp.receive('bulk');
  await waitFor(() => amqp.events.length >= 50, { what: 'all messages' });
  expect(amqp.events.map(textOf)).toEqual(Array.from({ length: 50 }, (_, n) => `m${n}`));
  await amqp.close();
  expect(await operator.checkQueue('bulk')).toMatchObject({ messageCount: 0, consumerCount: 0 });
});

it('what is stored when the goodbye is said does not come again', async () => {
  await operator.assertQueue('farewell');
  await publish('farewell', 'once');
  const amqp = harness(keysFor(broker));
  await amqp.connect();
  const closed = Promise.withResolvers<void>();
  const goodbye = async () => {
    // After the verdict has reached the adapter, in the same turn.
    for (let hop = 0; hop < 10; hop++) await Promise.resolve();
    await amqp.close();
    closed.resolve();
  };
  const queue = { pattern: { scheme: 'queue', segments: [] }, options: { queue: 'farewell' } };
  await amqp.connection.receive([queue], async (batch) => {
    void goodbye();
    return batch.map(() => ({ type: 'stored' }));
  });
  await closed.promise;
  expect(await operator.checkQueue('farewell')).toMatchObject({ messageCount: 0, consumerCount: 0 });
});

describe('where a message came from', () => {
  it('is its queue and the routing key it was published with', () =>
    using(
      harness(
        keysFor(broker, {
          declare: {
            exchanges: [{ name: 'alarms', type: 'topic' }],
            queues: [{ name: 'inbox', bind: [{ exchange: 'alarms', routingKey: 'plant.#' }] }],
          },
        }),
      ),
      async (amqp) => {
        await amqp.receive('inbox');
        await amqp.send({ exchange: 'alarms', routingKey: 'plant.pump-7' }, 'routed');
        await amqp.send({ queue: 'inbox' }, 'direct');
        await waitFor(() => amqp.events.length >= 2, { what: 'both messages' });
        expect(amqp.events.map(({ address }) => address.segments)).toEqual([['inbox', 'plant', 'pump-7'], ['inbox']]);
        expect(amqp.events[0]?.origin).toMatchObject({
          exchange: 'alarms',
          routingKey: 'plant.pump-7',
          appId: 'magpie/plant-a',
        });
        expect(amqp.events[0], 'a gateway knows what it has sent itself, without a header').toMatchObject({
          via: ['plant-a'],
          headers: [],
        });
      },
    ));
});

describe('declare', () => {
  const declaring = (declare: object) => harness(keysFor(broker, { declare })).connection.connect(never());

  it('says which queue differs and how, and changes nothing', async () => {
    await operator.assertQueue('kept', { durable: false });
    await expect(declaring({ queues: [{ name: 'kept' }] })).rejects.toMatchObject({
      name: 'ConfigInvalid',
      pointer: '/declare/queues/0',
      message: expect.stringMatching(
        /^\/declare\/queues\/0: queue "kept" exists with another durable: "declare" says 'true', the broker has 'false'/,
      ),
    });
    await operator.checkQueue('kept');
  });

  it('says which exchange differs, and which binding cannot be made', async () => {
    await operator.assertExchange('fan', 'fanout');
    await expect(declaring({ exchanges: [{ name: 'fan' }] })).rejects.toMatchObject({
      name: 'ConfigInvalid',
      message: expect.stringContaining('exchange "fan" exists with another type'),
    });
    await expect(declaring({ queues: [{ name: 'unbound', bind: [{ exchange: 'gone' }] }] })).rejects.toMatchObject({
      name: 'ConfigInvalid',
      message: expect.stringContaining('the binding of queue "unbound" to exchange "gone" cannot be declared'),
    });
  });
});

describe('quiesce under load', () => {
  it('has handed over everything it took when it resolves, so that nothing stored is delivered again', async () => {
    const texts = Array.from({ length: 1000 }, (_, number) => `m${number}`);
    for (let round = 0; round < 20; round++) {
      const queue = `quiesced-${round}`;
      await operator.assertQueue(queue);
      await publish(queue, ...texts);
      await using(harness(keysFor(broker)), async (amqp) => {
        await amqp.receive(queue);
        await waitFor(() => amqp.events.length > 0, { what: 'the first messages' });
        await amqp.connection.quiesce(never());
        const taken = amqp.events.length;
        await sleep(20);
        expect(amqp.events.length).toBe(taken);
        await amqp.close();
        expect((await operator.checkQueue(queue)).messageCount).toBe(texts.length - taken);
      });
    }
  });
});
