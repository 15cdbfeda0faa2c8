import { BODY_LIMITS } from '@magpie/contract';
import { type Peer, scriptedServer, waitFor } from '@magpie/testkit';
import { describe, expect, it, onTestFinished } from 'vitest';
import { connectionSchema } from '../../src/config.ts';
import { amqpAdapter } from '../../src/definition.ts';
import { loginOf } from '../../src/link/link.ts';
import { amqplib, deliveryFrames } from '../support/amqplib-codec.ts';
import { answer, greet, method, openChannel } from '../support/fake-amqp.ts';
import { type Harness, harness, textOf } from '../support/harness.ts';
import { consumed } from '../support/messages.ts';

const { encodeMethod } = amqplib;

/** A connection to a broker that plays a script on each of its links. */
async function against(script: (peer: Peer) => Promise<void>, keys: object = {}): Promise<Harness> {
  const server = await scriptedServer(script);
  const amqp = harness({ url: `amqp://127.0.0.1:${server.port}`, ...keys });
  onTestFinished(async () => {
    await amqp.connection.close(AbortSignal.abort());
    await server.close().catch(() => undefined);
  });
  return amqp;
}

const closing = (replyCode: number, replyText: string): object => ({ replyCode, replyText, classId: 60, methodId: 40 });
const reject = (tag: number): Buffer =>
  Buffer.concat([method(amqplib.BasicReject), Buffer.of(0, 0, 0, 0, 0, 0, 0, tag, 0)]);
const ack = (tag: number, multiple: 0 | 1): Buffer =>
  Buffer.concat([method(amqplib.BasicAck), Buffer.of(0, 0, 0, 0, 0, 0, 0, tag, multiple)]);

const delivery = (tag: number, content: Buffer): Buffer =>
  Buffer.concat(deliveryFrames(1, { ...consumed({}, { deliveryTag: tag }), content }, 100_000));

describe('a message larger than can be kept', () => {
  const large = Buffer.alloc(BODY_LIMITS.max + 1);
  const deliver = (peer: Peer, after: () => Promise<unknown>) => async (): Promise<void> => {
    peer.send(Buffer.concat([delivery(1, Buffer.from('one')), delivery(2, large), delivery(3, Buffer.from('three'))]));
    await after();
  };
  const play =
    (settle: (peer: Peer) => Promise<unknown>) =>
    async (peer: Peer): Promise<void> => {
      await greet(peer);
      if ((await openChannel(peer)) === 'consume') await deliver(peer, () => settle(peer))();
    };

  it('is rejected without requeue, and the others are acknowledged without naming it', async () => {
    const settled = Promise.withResolvers<void>();
    const amqp = await against(
      play(async (peer) => {
        await peer.expect(reject(2));
        await peer.expect(ack(3, 1));
        settled.resolve();
      }),
    );
    await amqp.connect();
    await amqp.receive('inbox');
    await settled.promise;
    expect(amqp.events.map(textOf)).toEqual(['one', 'three']);
    expect(amqp.counts.get('rejected-too-large')).toBe(1);
  });

  it('stays unacknowledged and is shown with tooLarge: hold, and those after it are acknowledged one by one', async () => {
    const settled = Promise.withResolvers<void>();
    const amqp = await against(
      play(async (peer) => {
        await peer.expect(ack(3, 0));
        settled.resolve();
      }),
      { tooLarge: 'hold' },
    );
    await amqp.connect();
    await amqp.receive('inbox');
    await settled.promise;
    expect(amqp.events.map(textOf)).toEqual(['one', 'three']);
    expect(amqp.details.get('queue inbox')).toMatch(
      /^holds 1 unacknowledged: .* 16777217 bytes, more than the limit of 16777216/,
    );
  });
});

describe('a declared queue that the broker cannot serve', () => {
  const NODE_DOWN = "NOT_FOUND - home node 'x@localhost' of durable queue 'st' in vhost '/' is down or inaccessible";

  it('is shown and declared again, and the connection works meanwhile', async () => {
    let declared = 0;
    const amqp = await against(
      async (peer) => {
        await greet(peer);
        await answer(peer, amqplib.ChannelOpen, amqplib.ChannelOpenOk);
        if ((await peer.expect(/\x00\x32\x00\x0a|\x00\x55\x00\x0a/)).subarray(-4)[1] === 0x55) {
          peer.send(encodeMethod(amqplib.ConfirmSelectOk, 1, {}));
          await peer.expect('canary');
          peer.send(encodeMethod(amqplib.BasicAck, 1, { deliveryTag: 1, multiple: false }));
          return;
        }
        declared++;
        peer.send(encodeMethod(amqplib.ChannelClose, 1, closing(404, NODE_DOWN)));
        await peer.expect(method(amqplib.ChannelCloseOk));
        for (;;) {
          const asked = await peer.expect(/\x00\x14\x00\x0a|\x00\x32\x00\x0a/, 20_000);
          if (asked.subarray(-4)[1] === 0x14) peer.send(encodeMethod(amqplib.ChannelOpenOk, 1, {}));
          else {
            declared++;
            peer.send(encodeMethod(amqplib.QueueDeclareOk, 1, { queue: 'st', messageCount: 0, consumerCount: 0 }));
          }
        }
      },
      { declare: { queues: [{ name: 'st' }] } },
    );
    await amqp.connect();
    expect(amqp.details.get('declared queue st')).toBe(`unavailable: ${NODE_DOWN}`);
    expect(await amqp.send({ queue: 'canary' }, 'x')).toBe('publisher-confirm');
    await waitFor(() => !amqp.details.has('declared queue st'), { what: 'the queue', timeout: 10_000 });
    expect(declared).toBe(2);
    expect(amqp.lost).toEqual([]);
  });

  it('with other arguments is a configuration that cannot work', async () => {
    const reason =
      "PRECONDITION_FAILED - inequivalent arg 'durable' for queue 'st' in vhost '/': received 'true' but current is 'false'";
    const amqp = await against(
      async (peer) => {
        await greet(peer);
        await answer(peer, amqplib.ChannelOpen, amqplib.ChannelOpenOk);
        await peer.expect(method(amqplib.QueueDeclare));
        peer.send(encodeMethod(amqplib.ChannelClose, 1, closing(406, reason)));
      },
      { declare: { queues: [{ name: 'st' }] } },
    );
    await expect(amqp.connect()).rejects.toMatchObject({ name: 'ConfigInvalid' });
  });
});

describe('a queue that is not consumed', () => {
  it.each([
    [
      406,
      "PRECONDITION_FAILED - invalid arg 'x-priority' for queue 's' in vhost '/' of queue type rabbit_stream_queue",
      /^not supported: it is a stream; bind a classic/,
    ],
    [403, "ACCESS_REFUSED - queue 's' in vhost '/' in exclusive use", /^in use by an exclusive consumer$/],
    [403, "ACCESS_REFUSED - read access to queue 's' in vhost '/' refused for user 'u'", /^not permitted$/],
    [
      404,
      "NOT_FOUND - home node 'x@localhost' of durable queue 's' in vhost '/' is down or inaccessible",
      /^unavailable: .*home node/,
    ],
  ])('says why: %i %s', async (code, reason, state) => {
    const amqp = await against(async (peer) => {
      await greet(peer);
      await answer(peer, amqplib.ChannelOpen, amqplib.ChannelOpenOk);
      if ((await peer.expect(/\x00\x3c\x00\x0a|\x00\x55\x00\x0a/)).subarray(-4)[1] === 0x55) {
        peer.send(encodeMethod(amqplib.ConfirmSelectOk, 1, {}));
        return;
      }
      peer.send(encodeMethod(amqplib.BasicQosOk, 1, {}));
      await peer.expect(method(amqplib.BasicConsume));
      peer.send(encodeMethod(amqplib.ChannelClose, 1, closing(code, reason)));
    });
    await amqp.connect();
    await amqp.receive('s');
    expect(amqp.details.get('queue s')).toMatch(state);
  });

  it('is one whose messages are those of a stream', async () => {
    const amqp = await against(async (peer) => {
      await greet(peer);
      if ((await openChannel(peer)) !== 'consume') return;
      const properties = { headers: { 'x-stream-offset': 7 } };
      for (const frame of deliveryFrames(1, { ...consumed(properties), content: Buffer.from('x') })) peer.send(frame);
    });
    await amqp.connect();
    await amqp.receive('s');
    await waitFor(() => amqp.details.get('queue s')?.startsWith('not supported: it is a stream'), {
      what: 'the state',
    });
    expect(amqp.events).toEqual([]);
  });

  it('is no source of at least once where it is declared as a stream', () => {
    const declare = { queues: [{ name: 's', arguments: { 'x-queue-type': 'stream' } }] };
    const config = connectionSchema.parse({ url: 'amqp://h', declare });
    const level = (queue: string) => amqpAdapter.guarantees.source(config, { queue, dedupe: 'redelivered' }).level;
    expect(['s', 'other'].map(level)).toEqual(['at-most-once', 'at-least-once']);
  });
});

describe('publishing', () => {
  it('hears of an alarm that comes in the packet of the login', async () => {
    const blocked = encodeMethod(amqplib.ConnectionBlocked, 0, { reason: 'low on memory' });
    const amqp = await against(async (peer) => {
      await greet(peer, blocked);
      await openChannel(peer);
    });
    await amqp.connect();
    expect(amqp.details.get('publish link')).toMatch(/^blocked/);
    await expect(amqp.send({ queue: 'canary' }, 'x')).rejects.toMatchObject({ name: 'Throttled' });
  });

  it.each([
    [501, 'FRAME_ERROR - cannot decode', true],
    [320, "CONNECTION_FORCED - broker forced connection closure with reason 'shutdown'", false],
  ])('takes the end of the link by %i %s as a verdict on what was sent: %s', async (code, reason, isPeersVerdict) => {
    const amqp = await against(async (peer) => {
      await greet(peer);
      if ((await openChannel(peer)) !== 'publish') return;
      await peer.expect('canary');
      peer.send(encodeMethod(amqplib.ConnectionClose, 0, closing(code, reason)));
    });
    await amqp.connect();
    await expect(amqp.send({ queue: 'canary' }, 'x')).rejects.toMatchObject({ name: 'Unknown', isPeersVerdict });
  });
});

describe('a login', () => {
  const mechanism = (keys: object): string => loginOf(connectionSchema.parse(keys)).mechanism;
  const tls = { cert: 'client.pem', key: 'client.key' };

  it.each([
    [{ url: 'amqps://h', tls }, 'EXTERNAL'],
    [{ url: 'amqps://h', tls, username: 'me', password: 'x' }, 'PLAIN'],
    [{ url: 'amqps://me:x@h', tls }, 'PLAIN'],
    [{ url: 'amqps://h', tls: {} }, 'PLAIN'],
    [{ url: 'amqp://h' }, 'PLAIN'],
  ])('of %j is %s', (keys, expected) => expect(mechanism(keys)).toBe(expected));
});
