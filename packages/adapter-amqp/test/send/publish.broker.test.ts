import { type RabbitmqBroker, startRabbitmq } from '@magpie/brokers';
import { waitFor } from '@magpie/testkit';
import { type ConfirmChannel, connect, type GetMessage } from 'amqplib';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Harness, harness, keysFor, never, textOf } from '../support/harness.ts';
import { outgoing } from '../support/messages.ts';

const LIMITED = {
  name: 'limited',
  password: 'limited-secret',
  permissions: { configure: '', write: '^open', read: '.*' },
};

let broker: RabbitmqBroker;
let operator: ConfirmChannel;
let amqp: Harness;

beforeAll(async () => {
  broker = await startRabbitmq({
    users: [{ name: 'magpie', password: 'magpie-secret' }, LIMITED],
    extraConfig: ['max_message_size = 20000'],
  });
  const model = await connect(broker.urls.plain);
  operator = await model.createConfirmChannel();
  await operator.assertQueue('open');
  await operator.assertQueue('closed');
  await operator.assertExchange('events', 'topic');
});
afterAll(() => broker?.stop());
beforeEach(async () => {
  amqp = harness(keysFor(broker));
  await amqp.connect();
});
afterEach(() => amqp.close());

async function get(queue: string): Promise<GetMessage> {
  const message = await operator.get(queue, { noAck: true });
  if (!message) throw new Error(`queue ${queue} is empty`);
  return message;
}

describe('a message that nobody takes', () => {
  it('is refused for now, with what to do, and goes through once a queue is bound', async () => {
    const target = { exchange: 'events', routingKey: 'plant.p7' };
    await expect(amqp.send(target, 'early')).rejects.toMatchObject({
      name: 'Transient',
      concerns: 'place',
      message: expect.stringMatching(/no queue is bound for exchange "events" with routing key "plant.p7": bind one/),
    });
    expect(amqp.counts.get('returned')).toBe(1);
    const { queue } = await operator.assertQueue('', { exclusive: true });
    await operator.bindQueue(queue, 'events', 'plant.#');
    expect(await amqp.send(target, 'late')).toBe('publisher-confirm');
    expect((await get(queue)).content.toString()).toBe('late');
  });

  it('is refused when its queue does not exist, others in flight are not disturbed', async () => {
    const sends = [
      amqp.send({ queue: 'open' }, 'a'),
      amqp.send({ queue: 'nowhere' }, 'b'),
      amqp.send({ queue: 'open' }, 'c'),
    ];
    const [a, b, c] = await Promise.allSettled(sends);
    expect([a?.status, b?.status, c?.status]).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(b).toMatchObject({
      reason: { name: 'Transient', concerns: 'place', message: expect.stringContaining('queue "nowhere"') },
    });
    await operator.purgeQueue('open');
  });

  it('is confirmed and lost where the target says so', async () => {
    expect(await amqp.send({ queue: 'nowhere', mandatory: false }, 'x')).toBe('publisher-confirm');
  });
});

describe('a missing exchange', () => {
  const target = { exchange: 'later', routingKey: 'k' };

  it('is an error of its place, and disturbs no other message in flight', async () => {
    const sends = [amqp.send({ queue: 'open' }, 'a'), amqp.send(target, 'b'), amqp.send({ queue: 'open' }, 'c')];
    const [a, b, c] = await Promise.allSettled(sends);
    expect([a?.status, c?.status]).toEqual(['fulfilled', 'fulfilled']);
    expect(b).toMatchObject({
      reason: { name: 'Transient', concerns: 'place', message: expect.stringContaining('exchange "later"') },
    });
    expect(amqp.lost).toEqual([]);
  });

  it('is used when it exists', async () => {
    await expect(amqp.send(target, 'a')).rejects.toMatchObject({ name: 'Transient' });
    await operator.assertExchange('later', 'fanout');
    const { queue } = await operator.assertQueue('', { exclusive: true });
    await operator.bindQueue(queue, 'later', '');
    await amqp.send(target, 'd');
    expect((await get(queue)).content.toString()).toBe('d');
    await operator.deleteExchange('later');
  });

  it('that is deleted while it is in use closes the channel once: others may be unknown, and the channel is rebuilt', async () => {
    await operator.assertExchange('later', 'fanout');
    await amqp.send({ ...target, mandatory: false }, 'known');
    await operator.deleteExchange('later');
    await expect(amqp.send(target, 'a')).rejects.toMatchObject({ name: 'Transient', concerns: 'place' });
    await waitFor(() => amqp.send({ queue: 'open' }, 'ready'), { what: 'the rebuilt channel' });
    const [again, other] = await Promise.allSettled([amqp.send(target, 'b'), amqp.send({ queue: 'open' }, 'c')]);
    expect([again?.status, other?.status]).toEqual(['rejected', 'fulfilled']);
    expect(amqp.lost).toEqual([]);
  });

  it('is looked up without disturbing the look-up of another', async () => {
    await operator.assertExchange('there', 'fanout');
    const sends = ['later', 'there', 'never'].map((exchange) =>
      amqp.send({ exchange, routingKey: '', mandatory: false }, exchange),
    );
    const outcomes = await Promise.allSettled(sends);
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'rejected']);
  });

  it('is looked up without anything overtaking what waits for the answer', async () => {
    await operator.assertExchange('later', 'fanout');
    const { queue } = await operator.assertQueue('', { exclusive: true });
    await operator.bindQueue(queue, 'later', '');
    const texts = Array.from({ length: 60 }, (_, index) => `m${index}`);
    const sends: Promise<string>[] = [];
    for (const [index, text] of texts.entries()) {
      sends.push(amqp.send(index % 3 === 2 ? { queue } : target, text));
      await new Promise((resolve) => setImmediate(resolve)); // Some are called while the answer is under way, some after it.
    }
    await Promise.all(sends);
    const got: string[] = [];
    for (const _ of texts) got.push((await get(queue)).content.toString());
    expect(got).toEqual(texts);
    await operator.deleteExchange('later');
  });
});

describe('a message the broker refuses', () => {
  it('is too large for the broker', async () => {
    await expect(amqp.send({ queue: 'open' }, 'x'.repeat(20_001))).rejects.toMatchObject({ name: 'TooLarge' });
    await waitFor(() => amqp.send({ queue: 'open' }, 'next'), { what: 'the rebuilt channel' });
  });

  it('is not permitted', async () => {
    const limited = harness(keysFor(broker, { username: LIMITED.name, password: LIMITED.password }));
    await limited.connect();
    await expect(limited.send({ exchange: 'events', routingKey: 'k' }, 'x')).rejects.toMatchObject({
      name: 'Rejected',
      message: expect.stringContaining('set_permissions'),
    });
    await limited.close();
  });

  it('with a routing key or headers that cannot be encoded is refused before it is sent', async () => {
    const address = { scheme: 'exchange', segments: ['events', 'é'.repeat(128)] };
    await expect(amqp.connection.send(outgoing(), { address, options: {} }, never())).rejects.toMatchObject({
      name: 'Rejected',
      message: expect.stringContaining('routingKey'),
    });
    const huge = outgoing({ subject: 'x'.repeat(70_000) });
    const open = { address: { scheme: 'queue', segments: ['open'] }, options: {} };
    await expect(amqp.connection.send(huge, open, never())).rejects.toMatchObject({ name: 'TooLarge' });
    expect(await amqp.send({ queue: 'open' }, 'still works')).toBe('publisher-confirm');
  });

  it('rests on a queue that is full: nack', async () => {
    await operator.assertQueue('full', { arguments: { 'x-max-length': 1, 'x-overflow': 'reject-publish' } });
    await amqp.send({ queue: 'full' }, 'fits');
    await expect(amqp.send({ queue: 'full' }, 'too many')).rejects.toMatchObject({
      name: 'Transient',
      concerns: 'place',
      message: expect.stringContaining('nack'),
    });
  });
});

it('bodies of no bytes and of more than a frame arrive as they are, in order', async () => {
  const small = harness(keysFor(broker, { frameMax: 4096, prefetch: 3 }));
  await small.connect();
  await operator.assertQueue('sizes');
  const texts = [0, 1, 4087, 4088, 4089, 8176, 20_000, 0].map((size, index) => String(index).repeat(size));
  const sizes = { address: { scheme: 'queue', segments: ['sizes'] }, options: {} };
  await Promise.all(texts.map((text) => small.connection.send(outgoing({ body: Buffer.from(text) }), sizes, never())));
  await small.receive('sizes');
  await waitFor(() => small.events.length === texts.length, { what: 'all messages' });
  expect(small.events.map(textOf)).toEqual(texts);
  await small.close();
  expect(await operator.checkQueue('sizes')).toMatchObject({ messageCount: 0 });
});

it('each message of a window that is taken, returned and refused in part gets its own outcome', async () => {
  await operator.assertQueue('mixed-full', { arguments: { 'x-max-length': 1, 'x-overflow': 'reject-publish' } });
  await amqp.send({ queue: 'mixed-full' }, 'fits');
  const queues = Array.from({ length: 300 }, (_, index) => ['open', 'nowhere', 'mixed-full'][(index * 7) % 3] ?? '');
  const outcomes = await Promise.all(
    queues.map((queue) => amqp.send({ queue }, 'x').catch((error: Error) => `${error.name}: ${error.message}`)),
  );
  for (const [index, queue] of queues.entries()) {
    expect(outcomes[index]).toMatch(
      queue === 'open'
        ? /^publisher-confirm$/
        : queue === 'nowhere'
          ? /"nowhere" does not exist/
          : /"mixed-full".*nack/,
    );
  }
  await operator.purgeQueue('open');
});

it('typed headers, a far expiry and every property pass the real wire', async () => {
  const headers = [
    ['text', 'ü'],
    ['int', -7],
    ['long', Number.MAX_SAFE_INTEGER],
    ['double', 0.1],
    ['big', 2 ** 60],
    ['nan', Number.NaN],
    ['yes', true],
    ['none', null],
    ['bytes', Buffer.of(0, 255)],
    ['list', ['a', 1, { deep: false }]],
    ['stamp', { '!': 'timestamp', value: 1_700_000_000 }],
    ['decimal', { '!': 'decimal', value: { places: 2, digits: 314 } }],
    ['odd', { '!': 'bogus', value: 1 }],
  ] as const;
  await operator.assertQueue('wire');
  const event = outgoing({
    headers,
    via: ['a', 'b'],
    expiresAt: Date.now() + 0x1_0000_0000,
    subject: 's',
    retain: true,
  });
  await amqp.connection.send(event, { address: { scheme: 'queue', segments: ['wire'] }, options: {} }, never());
  await amqp.receive('wire');
  const received = await waitFor(() => amqp.events[0], { what: 'the message' });
  expect(received).toMatchObject({
    id: event.id,
    via: ['a', 'b'],
    subject: 's',
    retain: true,
    time: event.time,
    expiresAt: event.expiresAt,
  });
  const got = Object.fromEntries(received.headers);
  expect(got).toMatchObject({
    ...Object.fromEntries(headers),
    bytes: new Uint8Array([0, 255]),
    odd: { '%21': 'bogus', value: 1 },
    nan: 'NaN',
    big: '1152921504606846976',
  });
  expect(received.headers.map(([name]) => name)).toEqual(headers.map(([name]) => name));
});

it('a memory alarm holds sends back and lets them go on', async () => {
  await broker.control('set_vm_memory_high_watermark', '0.0001');
  const held = amqp.send({ queue: 'open' }, 'held');
  await waitFor(() => amqp.details.get('publish link')?.startsWith('blocked: '), {
    what: 'the alarm',
    timeout: 20_000,
  });
  await expect(amqp.send({ queue: 'open' }, 'refused')).rejects.toMatchObject({ name: 'Throttled', retryAfter: 1000 });
  await amqp.connection.probe(never());
  await broker.control('set_vm_memory_high_watermark', '0.4');
  expect(await held).toBe('publisher-confirm');
  await waitFor(() => !amqp.details.has('publish link'), { what: 'the end of the alarm' });
  expect(await amqp.send({ queue: 'open' }, 'after')).toBe('publisher-confirm');
  expect(amqp.lost).toEqual([]);
});
