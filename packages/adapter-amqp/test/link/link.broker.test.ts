import { type RabbitmqBroker, startRabbitmq } from '@magpie/brokers';
import { leakCheck, waitFor } from '@magpie/testkit';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { harness, keysFor, never, textOf } from '../support/harness.ts';

let broker: RabbitmqBroker;

beforeAll(async () => {
  broker = await startRabbitmq();
});
afterAll(() => broker?.stop());

const declare = { queues: [{ name: 'inbox' }] };
const tlsUrl = (): string => `amqps://127.0.0.1:${broker.ports.tls}`;

it('connects by TLS with the authority as file or text, and not without it', async () => {
  const trusting = harness(keysFor(broker, { url: tlsUrl(), tls: { ca: broker.ca }, declare }));
  await trusting.connect();
  await trusting.send({ queue: 'inbox' }, 'safe');
  await trusting.close();
  const wary = harness(keysFor(broker, { url: tlsUrl() }));
  await expect(wary.connect()).rejects.toMatchObject({
    name: 'NotConnected',
    message: expect.stringContaining('set tls.ca'),
  });
  const confused = harness(keysFor(broker, { url: `amqp://127.0.0.1:${broker.ports.tls}` }));
  await expect(confused.connect()).rejects.toMatchObject({ name: 'NotConnected' });
  const lost = harness(keysFor(broker, { url: tlsUrl(), tls: { ca: '/no/such.pem' } }));
  await expect(lost.connect()).rejects.toMatchObject({
    name: 'ConfigInvalid',
    message: expect.stringContaining('"/no/such.pem"'),
  });
});

it('says what is wrong with login and virtual host, and leaves nothing behind', async () => {
  const leaks = leakCheck();
  await expect(harness(keysFor(broker, { password: 'canary' })).connect()).rejects.toMatchObject({
    name: 'AuthFailed',
    message: expect.stringMatching(/ACCESS_REFUSED.*; check username and password/),
  });
  const elsewhere = { url: `amqp://127.0.0.1:${broker.ports.plain}/nowhere` };
  await expect(harness(keysFor(broker, elsewhere)).connect()).rejects.toMatchObject({
    name: 'AuthFailed',
    message: expect.stringContaining('virtual host'),
  });
  await leaks.expectNone();
});

it('notices a broker that has stopped answering within three heartbeats, and ends its sends as unknown', async () => {
  const amqp = harness(keysFor(broker, { declare }));
  await amqp.connect();
  await broker.pause();
  try {
    const sending = amqp.send({ queue: 'inbox' }, 'into silence');
    await expect(sending).rejects.toMatchObject({ name: 'Unknown' });
    await waitFor(() => amqp.lost.length === 1, { what: 'the lost link' });
    expect(amqp.lost[0]).toMatchObject({
      name: 'NotConnected',
      message: expect.stringContaining('silent for two heartbeats'),
    });
    await expect(amqp.send({ queue: 'inbox' }, 'x')).rejects.toMatchObject({ name: 'NotConnected' });
  } finally {
    broker.resume();
    await amqp.close();
  }
});

it('after a killed broker everything unacknowledged comes again', async () => {
  const held: string[] = [];
  const amqp = harness(keysFor(broker, { declare }), (event) => {
    held.push(textOf(event));
    return { type: 'unavailable', reason: 'held' };
  });
  await amqp.connect();
  await Promise.all(['k1', 'k2', 'k3'].map((text) => amqp.send({ queue: 'inbox' }, text)));
  await amqp.receive('inbox');
  await waitFor(() => held.includes('k3'), { what: 'the messages' });
  await broker.kill();
  await waitFor(() => amqp.lost.length === 1, { what: 'the lost link' });
  await expect(amqp.connect()).rejects.toMatchObject({
    name: 'NotConnected',
    message: expect.stringContaining('check that the broker runs'),
  });
  await broker.restart();
  const again = harness(keysFor(broker, { declare }));
  await again.connect();
  await again.receive('inbox');
  await waitFor(() => ['k1', 'k2', 'k3'].every((text) => again.events.some((event) => textOf(event) === text)), {
    what: 'all again',
  });
  await again.close();
  await amqp.close();
  expect(amqp.lost).toHaveLength(1);
});

it('ends a probe and a connect by their signals', async () => {
  const amqp = harness(keysFor(broker, { declare, heartbeat: '60s' }));
  await amqp.connect();
  await amqp.connection.probe(never());
  await broker.pause();
  try {
    await expect(amqp.connection.probe(AbortSignal.timeout(200))).rejects.toMatchObject({ name: 'Aborted' });
    const late = harness(keysFor(broker));
    await expect(late.connection.connect(AbortSignal.timeout(200))).rejects.toMatchObject({ name: 'Aborted' });
    await amqp.connection.close(AbortSignal.timeout(200));
  } finally {
    broker.resume();
  }
});
