import { type Peer, scriptedServer, waitFor } from '@magpie/testkit';
import { describe, expect, it, onTestFinished } from 'vitest';
import { amqplib, METHODS } from '../support/amqplib-codec.ts';
import { greet, method, openChannel } from '../support/fake-amqp.ts';
import { type Harness, harness } from '../support/harness.ts';

/** Values for whatever a method has. */
const FIELDS = {
  versionMajor: 0,
  versionMinor: 9,
  serverProperties: {},
  clientProperties: {},
  mechanisms: Buffer.from('PLAIN'),
  locales: Buffer.from('en_US'),
  mechanism: 'PLAIN',
  locale: 'en_US',
  response: Buffer.from('x'),
  challenge: Buffer.from('x'),
  channelMax: 10,
  frameMax: 131_072,
  heartbeat: 0,
  replyCode: 200,
  replyText: 'so be it',
  classId: 0,
  methodId: 0,
  reason: 'a reason',
  newSecret: Buffer.from('x'),
  active: true,
  exchange: 'x',
  source: 'x',
  destination: 'x',
  type: 'topic',
  queue: 'q',
  routingKey: 'k',
  consumerTag: 'tag',
  deliveryTag: 1,
  messageCount: 0,
  consumerCount: 0,
  prefetchCount: 1,
};

const CLOSE = 'ConnectionClose';
const handshake = Object.entries(METHODS);

/** A client at a broker that plays a script on each link. */
async function at(script: (peer: Peer) => Promise<void>): Promise<Harness> {
  const server = await scriptedServer(script);
  const amqp = harness({ url: `amqp://127.0.0.1:${server.port}` });
  onTestFinished(async () => {
    await amqp.connection.close(AbortSignal.abort());
    await server.close().catch(() => undefined);
  });
  return amqp;
}

const frame = (id: number, channel = 0): Buffer => amqplib.encodeMethod(id, channel, FIELDS);
const HEADER = Buffer.from('AMQP\0\0\x09\x01', 'latin1');

/** Brings a link into a phase of the handshake; what comes next is the broker's. */
const PHASES: Readonly<Record<string, { readonly expected: string; reach(peer: Peer): Promise<void> }>> = {
  start: {
    expected: 'ConnectionStart',
    reach: async (peer) => void (await peer.expect(HEADER)),
  },
  tune: {
    expected: 'ConnectionTune',
    reach: async (peer) => {
      await peer.expect(HEADER);
      peer.send(frame(METHODS.ConnectionStart!));
      await peer.expect('PLAIN');
    },
  },
  open: {
    expected: 'ConnectionOpenOk',
    reach: async (peer) => {
      await peer.expect(HEADER);
      peer.send(frame(METHODS.ConnectionStart!));
      await peer.expect('PLAIN');
      peer.send(frame(METHODS.ConnectionTune!));
      await peer.expect(method(METHODS.ConnectionOpen!));
    },
  },
};

describe.each(Object.entries(PHASES))('while it waits for %s', (_, { expected, reach }) => {
  it.each(handshake.filter(([name]) => name !== expected))('%s ends the link', async (_name, id) => {
    const amqp = await at(async (peer) => {
      await reach(peer);
      peer.send(frame(id));
    });
    const refused = amqp.connect();
    await expect(refused).rejects.toMatchObject({ name: expect.stringMatching(/^(NotConnected|AuthFailed)$/) });
    await expect(refused).rejects.toThrow(/[a-z]/);
  });

  it('a method of a channel ends the link', async () => {
    const amqp = await at(async (peer) => {
      await reach(peer);
      peer.send(frame(METHODS[expected]!, 1));
    });
    await expect(amqp.connect()).rejects.toMatchObject({ name: 'NotConnected' });
  });
});

describe('once it is open', () => {
  const HEARD = ['ConnectionBlocked', 'ConnectionUnblocked', 'ConnectionUpdateSecretOk'];
  it.each(handshake.filter(([name]) => !HEARD.includes(name)))('%s ends the link', async (name, id) => {
    const amqp = await at(async (peer) => {
      await greet(peer);
      if ((await openChannel(peer)) === 'consume') peer.send(frame(id));
    });
    await amqp.connect();
    await amqp.receive('inbox').catch(() => undefined);
    const error = await waitFor(() => amqp.lost[0], { what: 'the lost link' });
    expect(error.name).toBe('NotConnected');
    expect(error.message).toMatch(name === CLOSE ? /so be it/ : /Unexpected frame on channel 0/);
  });
});
