import { type Clock, NotConnected, systemClock } from '@magpie/contract';
import { scriptedServer } from '@magpie/testkit';
import type { Packet } from 'mqtt-packet';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { ShortLinks } from '../../src/link/short-links.ts';
import { BrokerLimits } from '../../src/send/broker-limits.ts';
import { type Client, client, event, never, recorder, source, target } from '../support/harness.ts';
import { type RawLink, rawBroker } from '../support/raw-broker.ts';
import type { ConnackProperties } from '../support/wire.ts';

async function linked(
  answer: (packet: Packet, link: RawLink) => void,
  { properties, keys }: { properties?: ConnackProperties; keys?: Record<string, unknown> } = {},
): Promise<Client & { links: readonly RawLink[]; again(): Promise<void> }> {
  const { url, links } = await rawBroker(answer, properties);
  const made = client({ url, ...keys });
  onTestFinished(() => made.connection.close(AbortSignal.abort()));
  await made.connection.connect(never);
  const again = async (): Promise<void> => {
    const before = made.lost.length;
    links.at(-1)?.socket.destroy();
    await vi.waitFor(() => expect(made.lost.length).toBe(before + 1));
    await made.connection.connect(never);
  };
  return { ...made, links, again };
}

const commands = ({ packets }: RawLink): string[] => packets.map(({ cmd }) => cmd);
const grant = (packet: Packet, { send }: RawLink): void => {
  if (packet.cmd === 'subscribe') send({ cmd: 'suback', messageId: packet.messageId ?? 0, granted: [1] });
};

describe('a broker that has no QoS 2', () => {
  it('confirms by PUBACK, and nothing is left over for the next link', async () => {
    const { connection, links, again } = await linked(({ cmd, messageId = 0 }, { send }) => {
      if (cmd === 'publish') send({ cmd: 'puback', messageId });
    });
    await expect(connection.send(event('x'), target('t', { qos: 2 }), never)).resolves.toEqual({
      confirmedBy: 'puback',
    });
    await again();
    await expect(connection.send(event('y'), target('t', { qos: 2 }), never)).resolves.toBeDefined();
    expect(links.map(commands)).toEqual([['publish'], ['publish']]);
  });

  it('is asked for nothing when a link was lost before it answered, and the new link is up at once', async () => {
    const { connection, links, again } = await linked(({ cmd, messageId = 0 }, { send, packets }) => {
      if (cmd === 'publish' && links.length > 1 && packets.length > 0) send({ cmd: 'puback', messageId });
    });
    const unknown = expect(connection.send(event('x'), target('t', { qos: 2 }), never)).rejects.toMatchObject({
      name: 'Unknown',
    });
    await vi.waitFor(() => expect(commands(links[0]!)).toEqual(['publish']));
    await again();
    await unknown;
    await expect(connection.send(event('x'), target('t', { qos: 1 }), never)).resolves.toEqual({
      confirmedBy: 'puback',
    });
    expect(commands(links[1]!)).toEqual(['publish']);
  });
});

describe('a QoS 2 message whose link was lost', () => {
  it('is released on the next link once the broker has acknowledged it, without holding the link up', async () => {
    const { connection, links, again } = await linked(({ cmd, messageId = 0 }, { send }) => {
      if (cmd === 'publish') send({ cmd: 'pubrec', messageId });
    });
    const unknown = expect(connection.send(event('x'), target('t', { qos: 2 }), never)).rejects.toMatchObject({
      name: 'Unknown',
    });
    await vi.waitFor(() => expect(commands(links[0]!)).toEqual(['publish', 'pubrel']));
    await again();
    await unknown;
    await vi.waitFor(() => expect(commands(links[1]!)).toEqual(['pubrel']));
    expect(links[1]?.packets[0]?.messageId).toBe(links[0]?.packets[0]?.messageId);
  });
});

describe('a SUBSCRIBE', () => {
  it('that is never answered keeps nothing from being sent, and is shown', async () => {
    const { connection, details, lost } = await linked(
      ({ cmd, messageId = 0 }, { send }) => {
        if (cmd === 'publish') send({ cmd: 'puback', messageId });
      },
      { keys: { confirmTimeout: '2s' } },
    );
    await connection.receive([source('a/#')], recorder().sink);
    expect(details.get('topic a/#')).toBe('not subscribed: the broker has not answered SUBSCRIBE within 1 s');
    await expect(connection.send(event('x'), target('t'), never)).resolves.toEqual({ confirmedBy: 'puback' });
    await new Promise((resolve) => setTimeout(resolve, 1500));
    expect(lost).toEqual([]);
  });

  it('whose SUBACK has no code is not granted', async () => {
    const { connection, details } = await linked((packet, { socket }) => {
      const id = packet.messageId ?? 0;
      if (packet.cmd === 'subscribe') socket.write(Buffer.of(0x90, 3, id >> 8, id & 0xff, 0));
    });
    await connection.receive([source('a/#')], recorder().sink);
    expect(details.get('topic a/#')).toMatch(/^refused: the broker's SUBACK has no reason code for it/);
  });

  it('is made again on every link: that the broker has kept the session is only its word', async () => {
    const { connection, links, again } = await linked(grant);
    await connection.receive([source('a/#')], recorder().sink);
    await again();
    await connection.receive([source('a/#')], recorder().sink);
    expect(links.map((link) => new Set(commands(link)))).toEqual([new Set(['subscribe']), new Set(['subscribe'])]);
  });
});

describe('a limit of the broker', () => {
  const confirm = ({ cmd, messageId = 0 }: Packet, { send }: RawLink): void => {
    if (cmd === 'publish') send({ cmd: 'puback', messageId });
  };

  it.each([
    ['a Maximum Packet Size', { maximumPacketSize: 10 }, {}, 'TooLarge'],
    ['a Maximum QoS', { maximumQoS: 0 }, { qos: 1 }, 'Rejected'],
    ['no retained messages', { retainAvailable: false }, { retain: true }, 'Rejected'],
  ])('that stands in one CONNACK alone makes no dead letters: %s', async (_, properties, keys, name) => {
    const { connection, again } = await linked(confirm, { properties });
    const send = () => connection.send(event('a message of some length'), target('t', keys), never);
    await expect(send()).rejects.toMatchObject({
      name: 'Throttled',
      message: expect.stringMatching(/new since this login/),
    });
    await again();
    await expect(send()).rejects.toMatchObject({ name });
  });

  it('is believed when the link lasts, and forgotten with the next CONNACK', () => {
    let now = 0;
    const clock: Clock = { ...systemClock, monotonic: () => now };
    const limits = new BrokerLimits(clock);
    const named = (maximumPacketSize: number): void =>
      limits.named({ maximumPacketSize, maximumQoS: 2, retainAvailable: true });
    const judge = (bytes: number) => limits.judge(({ maximumPacketSize }) => bytes > maximumPacketSize);
    named(Number.POSITIVE_INFINITY);
    expect(judge(1e9)).toBe('fits');
    named(100);
    expect([judge(100), judge(101)]).toEqual(['fits', 'doubted']);
    now = 60_000;
    expect(judge(101)).toBe('refused');
    named(Number.POSITIVE_INFINITY);
    expect(judge(101)).toBe('fits');
  });
});

describe('a link that the broker closes', () => {
  it.each([
    [5, /without an answer to our CONNECT; does it speak MQTT 5\? If not, set version: 3$/],
    [3, /without an answer to our CONNECT; does the port speak MQTT\?$/],
  ])('before any CONNACK of MQTT %i says what may be wrong', async (version, sentence) => {
    const server = await scriptedServer(async (peer) => {
      await peer.expect(/^\x10[\s\S]+/);
      peer.end();
    });
    onTestFinished(() => server.close());
    const { connection } = client({ url: `mqtt://127.0.0.1:${server.port}`, version });
    await expect(connection.connect(never)).rejects.toThrow(sentence);
  });

  it('again and again after the login names the client id', async () => {
    const { connection, lost, again } = await linked(() => undefined, { keys: { clientId: 'magpie-1' } });
    await again();
    await again();
    await again();
    await connection.close(AbortSignal.abort());
    expect(lost.map(({ message }) => /client id "magpie-1"/.test(message))).toEqual([false, false, true]);
  });

  it('after a while, or with a reason, is no sign of another client', () => {
    let now = 0;
    const links = new ShortLinks({ ...systemClock, monotonic: () => now }, 'x');
    const error = new NotConnected('closed');
    for (let round = 0; round < 10; round++) {
      links.opened();
      now += round % 2 === 0 ? 1000 : 20_000;
      expect(links.explain(error, true)).toBe(error);
      links.opened();
      expect(links.explain(error, false)).toBe(error);
    }
  });
});

describe('a DISCONNECT that names a packet of ours', () => {
  it.each([0x81, 0x82, 0x90, 0x95, 0x99, 0x9b])(
    'with 0x%s is the verdict on whichever message is found',
    async (code) => {
      const { connection } = await linked(({ cmd }, { socket, packets }) => {
        if (cmd === 'publish' && packets.length === 2) socket.write(Buffer.of(0xe0, 2, code, 0));
      });
      const sends = ['one', 'two'].map((text) => connection.send(event(text), target('t'), never));
      for (const send of sends) await expect(send).rejects.toMatchObject({ name: 'Unknown', isPeersVerdict: true });
    },
  );

  it('is not one that may concern the login', async () => {
    const { connection } = await linked(({ cmd }, { socket }) => {
      if (cmd === 'publish') socket.write(Buffer.of(0xe0, 2, 0x87, 0));
    });
    const sent = connection.send(event('one'), target('t'), never);
    await expect(sent).rejects.toMatchObject({ name: 'Unknown', isPeersVerdict: false });
  });
});
