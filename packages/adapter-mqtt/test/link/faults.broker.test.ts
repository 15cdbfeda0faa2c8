import { type MosquittoBroker, startMosquitto } from '@magpie/brokers';
import { tcpProxy } from '@magpie/testkit';
import { connectAsync } from 'mqtt';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { client, event, never, recorder, source, target } from '../support/harness.ts';

let broker: MosquittoBroker;
beforeAll(async () => {
  broker = await startMosquitto({ anonymous: false });
});
afterAll(() => broker.stop());

let count = 0;
const keys = (more: Record<string, unknown> = {}): Record<string, unknown> => {
  const [{ name, password }] = broker.users;
  return {
    url: `mqtt://127.0.0.1:${broker.ports.plain}`,
    username: name,
    password,
    clientId: `faults-${count++}`,
    keepalive: '1s',
    ...more,
  };
};

describe.each([5, 3])('mqtt %i against Mosquitto', (version) => {
  it('gets unacknowledged messages again after the broker was restarted', async () => {
    const topic = `kill/${version}`;
    const { connection, lost } = client(keys({ version }));
    const held = recorder();
    await connection.connect(never);
    await connection.receive([source(topic)], (batch) => held.sink(batch).then(() => new Promise(() => undefined)));
    for (const text of ['one', 'two', 'three']) await connection.send(event(text), target(topic), never);
    await vi.waitFor(() => expect(held.events.length).toBe(3));
    await broker.restart();
    await vi.waitFor(() => expect(lost.map(({ name }) => name)).toEqual(['NotConnected']));
    const again = recorder();
    await connection.connect(never);
    await connection.receive([source(topic)], again.sink);
    await vi.waitFor(() => expect(new Set(again.texts())).toEqual(new Set(['one', 'two', 'three'])), 5000);
    await connection.close(never);
  });

  it('notices a broker that is stopped, by probe and by silence', async () => {
    const { connection, lost } = client(keys({ version }));
    await connection.connect(never);
    await broker.pause();
    try {
      await expect(connection.probe(never)).rejects.toMatchObject({ name: 'NotConnected' });
      await vi.waitFor(() => expect(lost.map(({ name }) => name)).toEqual(['NotConnected']), 5000);
    } finally {
      broker.resume();
    }
    await connection.close(AbortSignal.abort());
  });

  it('says AuthFailed for a wrong password', async () => {
    const { connection, lost } = client(keys({ version, password: 'wrong' }));
    await expect(connection.connect(never)).rejects.toMatchObject({ name: 'AuthFailed' });
    expect(lost).toEqual([]);
  });

  it('talks TLS to a broker that the given authority vouches for, and to no other', async () => {
    const url = `mqtts://127.0.0.1:${broker.ports.tls}`;
    const trusted = client(keys({ version, url, tls: { ca: broker.ca } })).connection;
    await trusted.connect(never);
    await expect(trusted.send(event('x'), target('tls'), never)).resolves.toEqual({ confirmedBy: 'puback' });
    await trusted.close(never);
    const untrusting = client(keys({ version, url })).connection;
    await expect(untrusting.connect(never)).rejects.toThrow(/tls\.ca/);
    const misled = client(keys({ version, url, tls: { ca: '/nowhere.pem' } })).connection;
    await expect(misled.connect(never)).rejects.toMatchObject({ name: 'ConfigInvalid', pointer: '/tls/ca' });
  });

  it('tells a retained replay from a live message', async () => {
    const topic = `retained/${version}/x`;
    const { connection } = client(keys({ version }));
    await connection.connect(never);
    await connection.send(event('kept'), target(topic, { retain: true }), never);
    const got = recorder();
    await connection.receive([source(`retained/${version}/+`)], got.sink);
    await vi.waitFor(() => expect(got.texts()).toContain('kept'));
    await connection.send(event('live'), target(topic, { retain: true }), never);
    await vi.waitFor(() => expect(got.texts()).toContain('live'));
    const replays = got.events.filter(({ origin }) => origin.topic === topic).map(({ origin }) => origin.replay);
    expect(replays).toEqual([true, false]);
    await connection.close(never);
  });

  it('publishes its last will when the link dies, not when it says goodbye', async () => {
    const topic = `will/${version}`;
    const watcher = client(keys({ version })).connection;
    const got = recorder();
    await watcher.connect(never);
    await watcher.receive([source(topic)], got.sink);
    const polite = client(keys({ version, will: { topic, text: 'polite died' } })).connection;
    await polite.connect(never);
    await polite.close(never);
    const proxy = await tcpProxy({ port: broker.ports.plain });
    const will = { topic, payload: { state: 'gone' } };
    await client(keys({ version, url: `mqtt://127.0.0.1:${proxy.port}`, will })).connection.connect(never);
    await proxy.close();
    await vi.waitFor(() => expect(got.texts()).toEqual(['{"state":"gone"}']));
    await watcher.close(never);
  });
});

describe('mqtt 5 against Mosquitto', () => {
  it('reports a possible gap when the broker has lost the session', async () => {
    const config = keys({ clientId: 'forgotten' });
    const { connection, lost } = client(config);
    const got = recorder();
    await connection.connect(never);
    await connection.receive([source('gap/#')], got.sink);
    const thief = await connectAsync(broker.urls.plain, { clientId: 'forgotten', protocolVersion: 5, clean: true });
    await thief.endAsync();
    await vi.waitFor(() => expect(lost.length).toBe(1));
    await connection.connect(never);
    await connection.receive([source('gap/#')], got.sink);
    await vi.waitFor(() => expect(got.events).toMatchObject([{ kind: 'status', type: 'possible-gap' }]));
    await connection.send(event('again'), target('gap/x'), never);
    await vi.waitFor(() => expect(got.texts()).toContain('again'));
    await connection.close(never);
  });

  it('refuses a topic with control characters before it reaches the broker', async () => {
    const { connection } = client(keys());
    await connection.connect(never);
    await expect(connection.send(event('x'), target('a/\ud83d\ude00', { qos: 1 }), never)).resolves.toBeDefined();
    await expect(connection.send(event('x'), target('a\u0001'), never)).rejects.toMatchObject({ name: 'Rejected' });
    await connection.close(never);
  });

  it('acknowledges what left-over subscriptions bring, without storing it', async () => {
    const config = keys({ clientId: 'left-over' });
    const first = client(config).connection;
    await first.connect(never);
    await first.receive([source('old/#'), source('new/#')], recorder().sink);
    await first.close(never);
    const second = client(config).connection;
    const got = recorder();
    await second.connect(never);
    await second.receive([source('new/#')], got.sink);
    await second.send(event('unwanted'), target('old/x'), never);
    await second.send(event('wanted'), target('new/x'), never);
    await vi.waitFor(() => expect(got.texts()).toEqual(['wanted']));
    await second.close(never);
  });

  it('does not receive its own messages where a source says noLocal', async () => {
    const { connection } = client(keys());
    const got = recorder();
    await connection.connect(never);
    await connection.receive([source('echo/#', { noLocal: true }), source('loud/#')], got.sink);
    await connection.send(event('silent'), target('echo/x'), never);
    await connection.send(event('heard'), target('loud/x'), never);
    await vi.waitFor(() => expect(got.texts()).toEqual(['heard']));
    await connection.close(never);
  });
});
