import { setTimeout as sleep } from 'node:timers/promises';
import { waitFor } from '@magpie/testkit';
import type { Packet } from 'mqtt-packet';
import { describe, expect, it } from 'vitest';
import { expectUnharmed, underAttack } from '../kit/attack.ts';
import { deadLettersOf, foreignEvents } from '../kit/events.ts';
import { accept, grant, type HostileLink, hostileMqtt, publish } from '../kit/hostile-mqtt.ts';
import { ask, post } from '../kit/http.ts';
import { amount, someOf } from '../kit/settings.ts';
import { startVictim } from '../kit/victim.ts';

/** What a broker says instead of CONNACK, before it, or twice. */
const LOGINS: Readonly<Record<string, (link: HostileLink) => void>> = {
  publish: ({ send }) => send(publish('cmd/pump', 'on')),
  'publish-then-connack': (link) => {
    link.send(publish('cmd/pump', 'on'));
    accept(link);
  },
  suback: ({ send }) => send({ cmd: 'suback', messageId: 1, granted: [0] }),
  puback: ({ send }) => send({ cmd: 'puback', messageId: 1 }),
  pingresp: ({ send }) => send({ cmd: 'pingresp' }),
  pubrel: ({ send }) => send({ cmd: 'pubrel', messageId: 1 }),
  connect: ({ send }) =>
    send({
      cmd: 'connect',
      clientId: 'x',
      protocolId: 'MQTT',
      protocolVersion: 5,
      clean: true,
      keepalive: 1,
    } as Packet),
  subscribe: ({ send }) => send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: '#', qos: 1 }] } as Packet),
  twice: (link) => {
    accept(link);
    accept(link);
  },
  zeros: ({ socket }) => void socket.write(Buffer.alloc(100_000)),
  ones: ({ socket }) => void socket.write(Buffer.alloc(100_000, 0xff)),
  web: ({ socket }) => void socket.write('HTTP/1.1 400 Bad Request\r\n\r\n'),
  'huge-length': ({ socket }) =>
    void socket.write(Buffer.concat([Buffer.of(0x20, 0xff, 0xff, 0xff, 0x7f), Buffer.alloc(1_000_000)])),
};

describe('a hostile broker', () => {
  it('gets nothing in before it has accepted the login, whatever it says', async () => {
    const broker = await hostileMqtt({ login: (link) => LOGINS[link.connect.clientId]?.(link), answer: grant });
    const names = Object.keys(LOGINS);
    const connection = (clientId: string) => ({ type: 'mqtt', url: broker.url, clientId, connectTimeout: '2s' });
    const victim = await startVictim({
      ready: false,
      connections: {
        ...Object.fromEntries(names.map((name) => [name, connection(name)])),
        out: { type: 'memory', broker: 'mqtt' },
      },
      routes: Object.fromEntries(
        names.map((name) => [
          name,
          { from: { connection: name, topic: 'cmd/+' }, to: { connection: 'out', channel: name } },
        ]),
      ),
    });
    const outcome = await underAttack(victim, async () => {
      await waitFor(() => broker.links.length >= names.length * 2, { what: 'two logins each', timeout: 20_000 });
      return broker.links.length;
    });
    expectUnharmed(outcome, { growth: 150 });
    expect((await foreignEvents(victim)).filter(({ kind }) => kind === 'message')).toEqual([]);
  });

  it('that never reads fills no memory with acknowledgements', async () => {
    const broker = await hostileMqtt({ answer: grant });
    const victim = await startVictim({
      ready: false,
      connections: { floor: { type: 'mqtt', url: broker.url }, out: { type: 'memory', broker: 'flood' } },
      routes: {
        all: {
          from: { connection: 'floor', topic: '#', qos: 1, durability: 'none' },
          to: { connection: 'out', channel: 'x' },
        },
      },
    });
    await waitFor(() => broker.links.length > 0, { what: 'a login' });
    await sleep(500);
    const outcome = await underAttack(victim, async () => {
      const [link] = broker.links;
      link?.socket.pause();
      const pings = Buffer.from('d000'.repeat(10_000), 'hex');
      for (let round = 0; round < amount(20, 500); round++) {
        for (let id = 1; id <= 1000; id++) link?.send(publish('a', 'x', id));
        link?.socket.write(pings);
        await sleep(20);
      }
      link?.socket.destroy();
      return amount(20, 500) * 11_000;
    });
    expectUnharmed(outcome, { growth: 200 });
  });

  it('that answers a QoS 2 message with PUBACK neither stops the link nor keeps the next one from coming up', async () => {
    const taken: string[] = [];
    const broker = await hostileMqtt({
      login: ({ send }) => send({ cmd: 'connack', reasonCode: 0, sessionPresent: broker.links.length > 1 }),
      answer: (packet, link) => {
        grant(packet, link);
        if (packet.cmd !== 'publish') return;
        taken.push(String(packet.payload));
        link.send({ cmd: 'puback', messageId: packet.messageId ?? 0 });
      },
    });
    const target = (qos: number) => ({
      from: { connection: 'http', topic: `q${qos}` },
      to: { connection: 'floor', topic: 'out', qos },
    });
    const victim = await startVictim({
      ready: false,
      connections: { floor: { type: 'mqtt', url: broker.url, confirmTimeout: '2s', connectTimeout: '2s' } },
      routes: { exact: target(2), once: target(1) },
    });
    const outcome = await underAttack(victim, async () => {
      await post(`${victim.url}/v1/messages`, { topic: 'q2', text: 'exactly once' });
      await waitFor(() => taken.includes('exactly once'), { what: 'the QoS 2 message' });
      await sleep(500);
      for (const { socket } of broker.links) socket.destroy();
      await post(`${victim.url}/v1/messages`, { topic: 'q1', text: 'after it' });
      await waitFor(() => taken.includes('after it'), { what: 'a message over the next link', timeout: 15_000 });
      return 2;
    });
    expectUnharmed(outcome, { growth: 100 });
    expect(taken).toEqual(['exactly once', 'after it']);
  });

  it('that never grants a subscription still takes what is sent', async () => {
    const taken: string[] = [];
    const broker = await hostileMqtt({
      answer: (packet, link) => {
        if (packet.cmd === 'pingreq') link.send({ cmd: 'pingresp' });
        if (packet.cmd !== 'publish') return;
        taken.push(String(packet.payload));
        link.send({ cmd: 'puback', messageId: packet.messageId ?? 0 });
      },
    });
    const victim = await startVictim({
      ready: false,
      connections: { floor: { type: 'mqtt', url: broker.url }, out: { type: 'memory', broker: 'granted' } },
      routes: {
        in: { from: { connection: 'floor', topic: 'in/#' }, to: { connection: 'out', channel: 'x' } },
        out: { from: { connection: 'http', topic: 'out' }, to: { connection: 'floor', topic: 'out', qos: 1 } },
      },
    });
    const outcome = await underAttack(victim, async () => {
      await post(`${victim.url}/v1/messages`, { topic: 'out', text: 'sent' });
      await waitFor(() => taken.includes('sent'), { what: 'the message', timeout: 15_000 });
      return 1;
    });
    expectUnharmed(outcome, { growth: 100 });
  });

  it.each(
    someOf(
      [
        ['a Maximum Packet Size of 10', { maximumPacketSize: 10 }],
        ['a Maximum QoS of 0', { maximumQoS: 0 }],
        ['no retained messages', { retainAvailable: false }],
        ['a Receive Maximum of 1', { receiveMaximum: 1 }],
        ['a keep alive of a second', { serverKeepAlive: 1 }],
      ],
      2,
    ),
  )('that names a limit in one login alone makes no dead letters: %s', async (_, properties) => {
    const taken: string[] = [];
    const broker = await hostileMqtt({
      login: ({ send }) =>
        send({
          cmd: 'connack',
          reasonCode: 0,
          sessionPresent: false,
          ...(broker.links.length === 2 ? { properties } : {}),
        } as Packet),
      answer: (packet, link) => {
        grant(packet, link);
        if (packet.cmd !== 'publish') return;
        taken.push(String(packet.payload));
        link.send({ cmd: 'puback', messageId: packet.messageId ?? 0 });
      },
    });
    const victim = await startVictim({
      ready: false,
      connections: { floor: { type: 'mqtt', url: broker.url, connectTimeout: '2s' } },
      routes: {
        out: {
          from: { connection: 'http', topic: 'out' },
          to: { connection: 'floor', topic: 'out', qos: 1, retain: true },
        },
      },
    });
    const count = amount(20, 200);
    const outcome = await underAttack(victim, async () => {
      await waitFor(() => broker.links.length === 1, { what: 'the first login' });
      broker.links[0]?.socket.destroy();
      await waitFor(() => broker.links.length === 2, { what: 'the second login', timeout: 15_000 });
      for (let index = 0; index < count; index++)
        await post(`${victim.url}/v1/messages`, { topic: 'out', text: `message ${index}` });
      await sleep(2000);
      broker.links[1]?.socket.destroy();
      await waitFor(() => taken.includes(`message ${count - 1}`), { what: 'the last message', timeout: 40_000 });
      return count;
    });
    expectUnharmed(outcome, { growth: 100 });
    expect(await deadLettersOf(victim)).toEqual([]);
    expect(new Set(taken).size).toBe(count);
  });

  it.each(
    someOf(
      [
        ['PUBREC', { cmd: 'pubrec', messageId: 7 }],
        ['PUBREL', { cmd: 'pubrel', messageId: 7 }],
        ['PUBCOMP', { cmd: 'pubcomp', messageId: 7 }],
        ['SUBACK', { cmd: 'suback', messageId: 7, granted: [0] }],
        ['UNSUBACK', { cmd: 'unsuback', messageId: 7, granted: [0] }],
        ['PUBACK of id 0', { cmd: 'puback', messageId: 0 }],
        ['AUTH', { cmd: 'auth', reasonCode: 0x18 }],
      ],
      2,
    ),
  )('that answers what was not asked confirms nothing and loses nothing: %s', async (_, packet) => {
    const taken: string[] = [];
    const broker = await hostileMqtt({
      answer: (received, link) => {
        grant(received, link);
        if (received.cmd !== 'publish') return;
        taken.push(String(received.payload));
        // The first links say nonsense in place of the answer.
        if (broker.links.length > 3) link.send({ cmd: 'puback', messageId: received.messageId ?? 0 });
        else link.send(packet as Packet);
      },
    });
    const victim = await startVictim({
      ready: false,
      connections: { floor: { type: 'mqtt', url: broker.url, confirmTimeout: '1s', connectTimeout: '2s' } },
      routes: {
        out: {
          from: { connection: 'http', topic: 'out' },
          to: { connection: 'floor', topic: 'out', qos: 1 },
          retry: { linkLosses: 20 },
        },
      },
    });
    const outcome = await underAttack(victim, async () => {
      const { body } = await post(`${victim.url}/v1/messages`, { topic: 'out', text: 'only this' });
      const status = async () => (await ask(`${victim.url}/v1/messages/${JSON.parse(body).ref}`)).body;
      await waitFor(async () => (await status()).includes('"confirmed"'), {
        what: 'the confirmation',
        timeout: 40_000,
        interval: 200,
      });
      return broker.links.length;
    });
    expectUnharmed(outcome, { growth: 100 });
    expect(broker.links.length).toBeGreaterThan(3);
    expect(taken.at(-1)).toBe('only this');
  });
});
