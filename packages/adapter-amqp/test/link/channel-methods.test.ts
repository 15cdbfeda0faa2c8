import { setTimeout as sleep } from 'node:timers/promises';
import { type Peer, scriptedServer } from '@magpie/testkit';
import { describe, expect, it, onTestFinished } from 'vitest';
import { amqplib, CHANNEL_METHODS } from '../support/amqplib-codec.ts';
import { greet, openChannel } from '../support/fake-amqp.ts';
import { type Harness, harness } from '../support/harness.ts';

/** Values for whatever a method has. */
const FIELDS = {
  replyCode: 312,
  replyText: 'so be it',
  classId: 0,
  methodId: 0,
  active: true,
  exchange: '',
  source: 'x',
  destination: 'x',
  type: 'topic',
  queue: 'canary',
  routingKey: 'canary',
  consumerTag: 'tag',
  deliveryTag: 2,
  multiple: true,
  messageCount: 0,
  consumerCount: 0,
  prefetchCount: 1,
};

/** A client at a broker that plays a script on each link. */
async function at(script: (peer: Peer) => Promise<void>): Promise<Harness> {
  const server = await scriptedServer((peer) => script(peer).catch(() => undefined));
  const amqp = harness({ url: `amqp://127.0.0.1:${server.port}`, confirmTimeout: '60s' });
  onTestFinished(async () => {
    await amqp.connection.close(AbortSignal.abort());
    await server.close().catch(() => undefined);
  });
  return amqp;
}

const unasked = Object.entries(CHANNEL_METHODS);

describe('a method that nobody asked for', () => {
  it.each(unasked)('%s confirms nothing of what is on its way', async (_, id) => {
    const amqp = await at(async (peer) => {
      await greet(peer);
      if ((await openChannel(peer)) !== 'publish') return;
      await peer.expect('canary');
      // The message is number 1: an acknowledgement of 2 and all before it is one of what was never sent.
      peer.send(amqplib.encodeMethod(id, 1, FIELDS));
    });
    await amqp.connect();
    const sending = amqp.send({ queue: 'canary' }, 'canary').then(
      () => 'confirmed',
      ({ name }: Error) => name,
    );
    await Promise.race([sending, sleep(150)]);
    await amqp.connection.close(AbortSignal.abort());
    expect(await sending).not.toBe('confirmed');
  });

  it.each(unasked)('%s brings no message in', async (_, id) => {
    const amqp = await at(async (peer) => {
      await greet(peer);
      if ((await openChannel(peer)) === 'consume') peer.send(amqplib.encodeMethod(id, 1, FIELDS));
    });
    await amqp.connect();
    await amqp.receive('inbox').catch(() => undefined);
    await sleep(50);
    expect(amqp.events).toEqual([]);
  });
});
