import { type Peer, scriptedServer } from '@magpie/testkit';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { client, never, recorder, source } from '../support/harness.ts';
import { bytes, connack, publish, suback } from '../support/wire.ts';

type Version = 5 | 3;

/** Every packet type there is, by the name that the test prints; 0 and 15 are none on MQTT 3.1.1. */
const packets = (version: Version): Readonly<Record<string, Buffer>> => ({
  reserved: Buffer.of(0x00, 0),
  connect: bytes({ cmd: 'connect', clientId: 'x', keepalive: 0, protocolId: 'MQTT', clean: true }, version),
  connack: connack(version),
  publish: publish(version, 'a', 7),
  puback: bytes({ cmd: 'puback', messageId: 7 }, version),
  pubrec: bytes({ cmd: 'pubrec', messageId: 7 }, version),
  pubrel: bytes({ cmd: 'pubrel', messageId: 7 }, version),
  pubcomp: bytes({ cmd: 'pubcomp', messageId: 7 }, version),
  subscribe: bytes({ cmd: 'subscribe', messageId: 7, subscriptions: [{ topic: 'a', qos: 0 }] }, version),
  suback: suback(version, 7),
  unsubscribe: bytes({ cmd: 'unsubscribe', messageId: 7, unsubscriptions: ['a'] }, version),
  unsuback: bytes({ cmd: 'unsuback', messageId: 7, granted: [0] }, version),
  pingreq: bytes({ cmd: 'pingreq' }, version),
  pingresp: bytes({ cmd: 'pingresp' }, version),
  disconnect: Buffer.of(0xe0, 0),
  auth: Buffer.of(0xf0, 0),
});

/** What a broker may send once it has accepted the login. */
const SESSION = ['publish', 'puback', 'pubrec', 'pubrel', 'pubcomp', 'suback', 'unsuback', 'pingresp'];

/** A connection at a broker that plays a script; the script gets the link after our CONNECT. */
async function at(version: Version, script: (peer: Peer) => void) {
  const server = await scriptedServer(async (peer) => {
    await peer.expect(/^\x10[\s\S]+/);
    script(peer);
  });
  const made = client({ url: `mqtt://127.0.0.1:${server.port}`, version, clientId: 'x' });
  onTestFinished(async () => {
    await made.connection.close(AbortSignal.abort());
    await server.close();
  });
  return made;
}

describe.each([5, 3] as const)('on MQTT %i', (version) => {
  const all = Object.entries(packets(version));

  it.each(all.filter(([name]) => name !== 'connack'))('%s before the CONNACK ends the link', async (_, packet) => {
    const { connection } = await at(version, (peer) => peer.send(Buffer.concat([packet, connack(version)])));
    const refused = connection.connect(never);
    await expect(refused).rejects.toMatchObject({ name: 'NotConnected' });
    await expect(refused).rejects.toThrow(/the broker sent .*[a-z]/);
  });

  it.each(all.filter(([name]) => !SESSION.includes(name)))('%s ends a session', async (name, packet) => {
    const { connection, lost } = await at(version, (peer) => {
      peer.send(connack(version));
      setTimeout(() => peer.send(packet), 20);
    });
    await connection.connect(never);
    await vi.waitFor(() => expect(lost.length).toBe(1));
    expect(lost[0]?.name).toBe('NotConnected');
    const isWord = name === 'disconnect' && version === 5;
    expect(lost[0]?.message).toMatch(isWord ? /ended the link/ : /the broker sent/);
  });

  it.each(all.filter(([name]) => SESSION.includes(name)))('%s ends no session', async (_, packet) => {
    const { connection, lost } = await at(version, (peer) => {
      peer.send(connack(version));
      setTimeout(() => peer.send(Buffer.concat([packet, publish(version, 'end', 8, 0)])), 20);
      void peer.expect(/\x82[\s\S]+/).then(() => undefined);
    });
    const got = recorder();
    await connection.connect(never);
    void connection.receive([source('#', { qos: 0 })], got.sink).catch(() => undefined);
    await vi.waitFor(() => expect(got.events.map(({ origin }) => origin.topic)).toContain('end'));
    expect(lost).toEqual([]);
  });

  it('a session that we have not asked to be kept is no session', async () => {
    const server = await scriptedServer(async (peer) => {
      await peer.expect(/^\x10[\s\S]+/);
      peer.send(connack(version));
    });
    const made = client({ url: `mqtt://127.0.0.1:${server.port}`, version, session: { expiry: '0s' } });
    onTestFinished(() => server.close());
    await expect(made.connection.connect(never)).rejects.toThrow(
      /claims to have kept a session, although we asked for a clean one/,
    );
  });
});
