import { scriptedServer, waitFor } from '@magpie/testkit';
import { expect, it } from 'vitest';
import { amqplib, deliveryFrames } from '../support/amqplib-codec.ts';
import { greet, method, openChannel } from '../support/fake-amqp.ts';
import { type Harness, harness, textOf } from '../support/harness.ts';
import { consumed } from '../support/messages.ts';

const { encodeMethod } = amqplib;

/** Runs against a broker that sends `bytes` after a message: a good one it sent, or one it got. */
async function against(on: 'consume' | 'publish', bytes: Buffer, run: (amqp: Harness) => Promise<void>): Promise<void> {
  const server = await scriptedServer(async (peer) => {
    await greet(peer);
    const purpose = await openChannel(peer);
    if (purpose !== on) return;
    if (on === 'publish') await peer.expect('canary');
    else {
      for (const frame of deliveryFrames(1, { ...consumed(), content: Buffer.from('good') })) peer.send(frame);
      await peer.expect(method(amqplib.BasicAck));
    }
    peer.send(bytes);
  });
  const amqp = harness({ url: `amqp://127.0.0.1:${server.port}` });
  try {
    await amqp.connect();
    await amqp.receive('inbox');
    await run(amqp);
  } finally {
    await amqp.connection.close(AbortSignal.abort());
    await server.close();
  }
}

const lost = async (amqp: Harness): Promise<string> => {
  const error = await waitFor(() => amqp.lost[0], { what: 'the lost link' });
  expect(error.name).toBe('NotConnected');
  expect(amqp.lost).toHaveLength(1);
  return error.message;
};

it('a delivery that makes no sense ends the link, what came before it counts', () => {
  const [begin, header] = deliveryFrames(1, consumed());
  return against('consume', Buffer.concat([begin!, header!, begin!]), async (amqp) => {
    expect(await lost(amqp)).toMatch(
      /127\.0\.0\.1:\d+: the broker has sent another frame instead of the body of a delivery/,
    );
    expect(amqp.events.map(textOf)).toEqual(['good']);
    await expect(amqp.connection.probe(AbortSignal.timeout(1000))).rejects.toMatchObject({ name: 'NotConnected' });
  });
});

it('a confirmation of nothing ends the link, and what waits is unknown', () => {
  const confirmation = encodeMethod(amqplib.BasicAck, 1, { deliveryTag: 5, multiple: true });
  return against('publish', confirmation, async (amqp) => {
    await expect(amqp.send({ queue: 'canary' }, 'x')).rejects.toMatchObject({ name: 'Unknown' });
    expect(await lost(amqp)).toContain('the broker has sent a confirmation of a message that was not sent');
  });
});

it('a confirmation of everything by 0 confirms everything', () => {
  const confirmation = encodeMethod(amqplib.BasicAck, 1, { deliveryTag: 0, multiple: true });
  return against('publish', confirmation, async (amqp) => {
    const sends = [amqp.send({ queue: 'canary' }, 'x'), amqp.send({ queue: 'canary' }, 'y')];
    expect(await Promise.all(sends)).toEqual(['publisher-confirm', 'publisher-confirm']);
    expect(amqp.lost).toEqual([]);
  });
});

it.each([
  ['a method on a channel that is not open', encodeMethod(amqplib.BasicAck, 7, { deliveryTag: 1, multiple: true })],
  ['a second end of the login', encodeMethod(amqplib.ConnectionOpenOk, 0, {})],
  ['bytes that are no frame', Buffer.alloc(1000, 0xff)],
])('%s in the same packet as the end of the login ends the attempt, not the process', async (_, behind) => {
  const server = await scriptedServer((peer) => greet(peer, behind).catch(() => undefined));
  const amqp = harness({ url: `amqp://127.0.0.1:${server.port}` });
  const outcome = await amqp.connect().then(
    () => 'connected',
    (error: Error) => error.name,
  );
  if (outcome === 'connected') await waitFor(() => amqp.lost.length > 0, { what: 'the lost link' });
  expect([outcome, ...amqp.lost.map(({ name }) => name)]).toContain('NotConnected');
  await amqp.connection.close(AbortSignal.abort());
  await server.close();
});
