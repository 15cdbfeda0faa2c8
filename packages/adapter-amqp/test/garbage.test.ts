import { type Peer, scriptedServer, waitFor } from '@magpie/testkit';
import { expect, it } from 'vitest';
import { amqplib, deliveryFrames } from './amqplib-codec.ts';
import { type Harness, harness, textOf } from './harness.ts';
import { consumed } from './messages.ts';

const { encodeMethod } = amqplib;
const method = (id: number): Buffer => Buffer.of(id >>> 24, id >>> 16, id >>> 8, id);

/** Logs a client in. */
async function greet(peer: Peer): Promise<void> {
  await peer.expect(Buffer.from('AMQP\0\0\x09\x01', 'latin1'));
  const [mechanisms, locales] = [Buffer.from('PLAIN'), Buffer.from('en_US')];
  const start = { versionMajor: 0, versionMinor: 9, serverProperties: {}, mechanisms, locales };
  peer.send(encodeMethod(amqplib.ConnectionStart, 0, start));
  await peer.expect('PLAIN');
  peer.send(encodeMethod(amqplib.ConnectionTune, 0, { channelMax: 10, frameMax: 131_072, heartbeat: 0 }));
  await answer(peer, amqplib.ConnectionOpen, amqplib.ConnectionOpenOk, 0);
}

/** Waits for a request and answers it. */
async function answer(peer: Peer, asked: number, reply: number, channel = 1): Promise<void> {
  await peer.expect(method(asked));
  peer.send(encodeMethod(reply, channel, { consumerTag: 'tag' }));
}

/** Opens the channel of a link; the first request on it says what for. */
async function openChannel(peer: Peer): Promise<'consume' | 'publish'> {
  await answer(peer, amqplib.ChannelOpen, amqplib.ChannelOpenOk);
  const asked = (await peer.expect(/\x00\x55\x00\x0a|\x00\x3c\x00\x0a/)).subarray(-4);
  if (asked[1] === 0x55) {
    peer.send(encodeMethod(amqplib.ConfirmSelectOk, 1, {}));
    return 'publish';
  }
  peer.send(encodeMethod(amqplib.BasicQosOk, 1, {}));
  await answer(peer, amqplib.BasicConsume, amqplib.BasicConsumeOk);
  return 'consume';
}

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
      /127\.0\.0\.1:\d+: the broker has sent something else than the body of a delivery/,
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
