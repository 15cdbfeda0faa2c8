import type { Packet } from 'mqtt-packet';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { type Client, client, event, never, recorder, source, target } from '../support/harness.ts';
import { type RawLink, rawBroker } from '../support/raw-broker.ts';
import { type ConnackProperties, connack } from '../support/wire.ts';

interface Scene extends Client {
  readonly link: RawLink;
}

/** A connection that is logged in at a raw broker. */
async function scene(
  answer: (packet: Packet, link: RawLink) => void,
  { properties, keys }: { properties?: ConnackProperties; keys?: Record<string, unknown> } = {},
): Promise<Scene> {
  const { url, links } = await rawBroker(answer, properties);
  const made = client({ url, ...keys });
  onTestFinished(() => made.connection.close(AbortSignal.abort()));
  await made.connection.connect(never);
  const [link] = links;
  if (!link) throw new Error('nobody has logged in');
  return { ...made, link };
}

const confirm = (packet: Packet, { send }: RawLink): void => {
  if (packet.cmd === 'publish' && packet.qos === 1) send({ cmd: 'puback', messageId: packet.messageId ?? 0 });
};
const ignore = (): void => undefined;
const numbers = (count: number): string[] => Array.from({ length: count }, (_, index) => String(index));

describe('a ping', () => {
  it('is not given up while a busy broker goes on sending', async () => {
    const { connection, link } = await scene(
      (packet, { send }) => {
        if (packet.cmd !== 'pingreq') return;
        const busy = setInterval(
          () => send({ cmd: 'publish', topic: 'news', payload: 'x', qos: 0, dup: false, retain: false }),
          50,
        );
        setTimeout(() => {
          clearInterval(busy);
          send({ cmd: 'pingresp' });
        }, 1800);
      },
      { keys: { keepalive: '1s' } },
    );
    await connection.probe(never);
    expect(link.packets.map(({ cmd }) => cmd)).toContain('pingreq');
  });
});

describe('a goodbye', () => {
  it('waits until the broker has read what went before', async () => {
    let answer: (() => void) | undefined;
    const { connection, link } = await scene((packet, { send }) => {
      if (packet.cmd === 'pingreq') answer = () => send({ cmd: 'pingresp' });
    });
    const closed = connection.close(never);
    await vi.waitFor(() => expect(answer).toBeDefined());
    expect(link.packets.map(({ cmd }) => cmd)).not.toContain('disconnect');
    answer?.();
    await closed;
    await vi.waitFor(() => expect(link.packets.map(({ cmd }) => cmd).at(-1)).toBe('disconnect'));
  });
});

describe('sending', () => {
  it('counts a message of QoS 0 as sent once it is written', async () => {
    const { connection, link } = await scene(ignore);
    await expect(connection.send(event('x'), target('t', { qos: 0 }), never)).resolves.toEqual({
      confirmedBy: 'written',
    });
    await vi.waitFor(() => expect(link.packets).toMatchObject([{ cmd: 'publish', topic: 't', qos: 0 }]));
  });

  it('writes the messages of one turn in one go, whatever their quality of service, in order', async () => {
    const { connection, link } = await scene(confirm);
    const sends = numbers(100).map((text, index) =>
      connection.send(event(text), target('t', { qos: index % 2 }), never),
    );
    await Promise.all(sends);
    await vi.waitFor(() => expect(link.packets.length).toBe(100));
    expect(link.chunks.filter((packets) => packets.length > 0).length).toBe(1);
    const bodies = link.packets.map((packet) => (packet.cmd === 'publish' ? String(packet.payload) : packet.cmd));
    expect(bodies).toEqual(numbers(100));
  });

  it('says Throttled for a QoS 2 message over quota, does not go on with it, and sends the next one', async () => {
    let quota = 0;
    const { connection, link } = await scene(({ cmd, messageId = 0 }, { send }) => {
      if (cmd === 'publish') send({ cmd: 'pubrec', messageId, reasonCode: quota++ === 0 ? 0x97 : 0 });
      if (cmd === 'pubrel') send({ cmd: 'pubcomp', messageId });
    });
    const refused = connection.send(event('1'), target('t', { qos: 2 }), never);
    await expect(refused).rejects.toMatchObject({ name: 'Throttled' });
    await expect(connection.send(event('2'), target('t', { qos: 2 }), never)).resolves.toEqual({
      confirmedBy: 'pubcomp',
    });
    expect(link.packets.map(({ cmd }) => cmd)).toEqual(['publish', 'publish', 'pubrel']);
  });

  it.each([
    ['pings', false],
    ['pings and every other message', true],
  ])('ends the link when the broker answers only %s, so that all it owes is sent again', async (_, busy) => {
    const { connection, link, lost } = await scene(
      (packet, peer) => {
        if (packet.cmd === 'pingreq') peer.send({ cmd: 'pingresp' });
        if (packet.cmd === 'publish' && String(packet.payload) !== 'stuck') confirm(packet, peer);
      },
      { keys: { keepalive: '1s', confirmTimeout: '1s' } },
    );
    const began = performance.now();
    const stuck = connection.send(event('stuck'), target('t'), never);
    const outcome = stuck.then(
      () => 'confirmed',
      ({ name, message }: Error) => `${name}: ${message}`,
    );
    const chatter = setInterval(() => {
      if (busy) connection.send(event('next'), target('t'), never).catch(() => undefined);
    }, 50);
    onTestFinished(() => clearInterval(chatter));
    await vi.waitFor(() => expect(lost.length).toBe(1), 4000);
    expect(performance.now() - began).toBeGreaterThan(990);
    expect(lost.map(String)).toEqual([expect.stringMatching(/NotConnected.*has not confirmed a packet within 1 s/)]);
    expect(await outcome).toMatch(/^Unknown: .*has not confirmed a packet within 1 s/);
    expect(link.packets.map(({ cmd }) => cmd)).toContain(busy ? 'publish' : 'pingreq');
  });

  it('has a time for each message, not for the answers to none: a slow broker keeps the link', async () => {
    const { connection, lost } = await scene(
      (packet, peer) => {
        if (packet.cmd === 'pingreq') peer.send({ cmd: 'pingresp' });
        setTimeout(() => confirm(packet, peer), 700);
      },
      { keys: { confirmTimeout: '1s' } },
    );
    for (let round = 0; round < 3; round++) {
      await Promise.all(numbers(5).map((text) => connection.send(event(text), target('t'), never)));
    }
    expect(lost).toEqual([]);
  });

  it('is not disturbed by answers that nobody waits for', async () => {
    const { connection, lost } = await scene((packet, link) => {
      const messageId = packet.messageId ?? 0;
      for (const cmd of ['pubcomp', 'pubrec', 'puback'] as const) {
        link.send({ cmd, messageId: (messageId % 65_535) + 1 });
      }
      link.send({ cmd: 'pubcomp', messageId });
      confirm(packet, link);
    });
    await expect(connection.send(event('x'), target('t'), never)).resolves.toEqual({ confirmedBy: 'puback' });
    await expect(connection.send(event('x'), target('t'), never)).resolves.toEqual({ confirmedBy: 'puback' });
    expect(lost).toEqual([]);
  });

  it('holds messages while the broker reads nothing, and sends all of them once it does', async () => {
    const { connection, link } = await scene(ignore);
    link.socket.pause();
    let sent = 0;
    const body = 'x'.repeat(512 * 1024);
    const sends = numbers(60).map((text) =>
      connection.send(event(text + body), target('t', { qos: 0 }), never).then(() => sent++),
    );
    await expect.poll(() => sent).toBeGreaterThan(0);
    const before = sent;
    await connection.probe(AbortSignal.timeout(300)).catch(() => undefined);
    expect(sent).toBeLessThan(60);
    expect(sent - before).toBeLessThan(30);
    link.socket.resume();
    await Promise.all(sends);
    await vi.waitFor(() => expect(link.packets.filter(({ cmd }) => cmd === 'publish').length).toBe(60), 5000);
  });

  it('ends the waiting for a message that waits its turn when the signal fires, and never sends it', async () => {
    const { connection, link } = await scene(ignore, { properties: { receiveMaximum: 1 } });
    const abort = new AbortController();
    const sends = ['one', 'two'].map((text) => connection.send(event(text), target('t'), abort.signal));
    await vi.waitFor(() => expect(link.packets.length).toBe(1));
    abort.abort();
    for (const send of sends) await expect(send).rejects.toMatchObject({ name: 'Aborted' });
    const third = connection.send(event('three'), target('t'), never);
    link.send({ cmd: 'puback', messageId: link.packets[0]?.messageId ?? 0 });
    await vi.waitFor(() => expect(link.packets.length).toBe(2));
    expect(link.packets[1]).toMatchObject({ payload: Buffer.from('three') });
    link.send({ cmd: 'puback', messageId: link.packets[1]?.messageId ?? 0 });
    await expect(third).resolves.toEqual({ confirmedBy: 'puback' });
  });
});

describe('handing over without waiting', () => {
  it('writes QoS 0 in order with what is sent', async () => {
    const { connection, link } = await scene(confirm);
    const sent = connection.send(event('1'), target('t'), never);
    expect(connection.post?.(event('2'), target('t', { qos: 0 }))).toBe(true);
    expect(connection.post?.(event('3'), target('t', { qos: 0 }))).toBe(true);
    await sent;
    await vi.waitFor(() => expect(link.packets).toMatchObject([{ qos: 1 }, { qos: 0 }, { qos: 0 }]));
    const bodies = link.packets.map((packet) => (packet.cmd === 'publish' ? String(packet.payload) : packet.cmd));
    expect(bodies).toEqual(['1', '2', '3']);
  });

  it('leaves to send what the broker confirms, and what cannot go out', async () => {
    const { connection, link } = await scene(ignore, { properties: { maximumPacketSize: 1000 } });
    expect(connection.post?.(event('x'), target('t'))).toBe(false);
    expect(connection.post?.(event('x'.repeat(2000)), target('t', { qos: 0 }))).toBe(false);
    expect(connection.post?.(event('x'), target('a/+', { qos: 0 }))).toBe(false);
    await connection.close(AbortSignal.abort());
    expect(connection.post?.(event('x'), target('t', { qos: 0 }))).toBe(false);
    expect(link.packets).toEqual([]);
  });

  it('leaves to send what has to wait for a broker that reads nothing', async () => {
    const { connection, link } = await scene(ignore);
    link.socket.pause();
    const body = 'x'.repeat(512 * 1024);
    let posted = 0;
    while (posted < 60 && connection.post?.(event(body), target('t', { qos: 0 }))) {
      posted++;
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(posted).toBeLessThan(60);
    const sent = connection.send(event('last'), target('t', { qos: 0 }), never);
    expect(connection.post?.(event('overtakes'), target('t', { qos: 0 }))).toBe(false);
    link.socket.resume();
    await sent;
    await vi.waitFor(() => expect(link.packets.length).toBe(posted + 1), 5000);
    expect(link.packets.at(-1)).toMatchObject({ payload: Buffer.from('last') });
  });
});

describe('the link', () => {
  it('pings before the keepalive is over though we are only received from, and as often as the broker wants', async () => {
    const { link, lost } = await scene(
      (packet, { send }) => {
        if (packet.cmd === 'pingreq') send({ cmd: 'pingresp' });
      },
      { keys: { keepalive: '30s' }, properties: { serverKeepAlive: 1 } },
    );
    const chatter = setInterval(() => link.send({ cmd: 'pingresp' }), 50);
    onTestFinished(() => clearInterval(chatter));
    await vi.waitFor(() => expect(link.packets.length).toBeGreaterThanOrEqual(2), 5000);
    expect(new Set(link.packets.map(({ cmd }) => cmd))).toEqual(new Set(['pingreq']));
    expect(lost).toEqual([]);
  });

  it('ends when the broker floods it with requests and reads none of the answers', async () => {
    const { link, lost } = await scene(ignore);
    link.socket.pause();
    const flood = Buffer.alloc(1024 * 1024);
    for (let at = 0; at < flood.length; at += 4) flood.writeUInt32BE(0x6202_0001, at);
    for (let megabyte = 0; megabyte < 40 && !link.socket.destroyed; megabyte++) link.socket.write(flood);
    await vi.waitFor(
      () => expect(lost.map(String)).toEqual([expect.stringMatching(/does not read our answers/)]),
      5000,
    );
  });

  it('ends over a second CONNACK', async () => {
    const { link, lost } = await scene(ignore);
    link.socket.write(connack(5));
    await vi.waitFor(() => expect(lost.map(String)).toEqual([expect.stringMatching(/NotConnected.*second CONNACK/)]));
  });

  it('ends over a malformed packet, with the messages before it received', async () => {
    const { connection, link, lost } = await scene((packet, { send }) => {
      if (packet.cmd === 'subscribe') send({ cmd: 'suback', messageId: packet.messageId ?? 0, granted: [0] });
    });
    const got = recorder();
    await connection.receive([source('a', { qos: 0 })], got.sink);
    link.send({ cmd: 'publish', topic: 'a', payload: 'x', qos: 0, retain: false, dup: false });
    link.socket.write(Buffer.from([0x36, 3, 0, 1, 0x61]));
    await vi.waitFor(() => expect(lost.map(String)).toEqual([expect.stringMatching(/the broker sent.*QoS 3/)]));
    await vi.waitFor(() => expect(got.texts()).toEqual(['x']));
  });
});
