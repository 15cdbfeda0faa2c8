import { scriptedServer } from '@magpie/testkit';
import { generate, type Packet, parser } from 'mqtt-packet';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { type Client, client, never, recorder, source } from '../support/harness.ts';

/** A broker that grants topics as told and publishes `x` to a topic when asked. */
async function startBroker(version: 5 | 3, grants: Record<string, number>) {
  const protocolVersion = version === 5 ? 5 : 4;
  const log: string[] = [];
  let send = (_packet: Packet): void => undefined;
  const server = await scriptedServer(async (peer) => {
    const parse = parser({ protocolVersion });
    send = (packet) => peer.send(generate(packet, { protocolVersion }));
    parse.on('packet', (packet) => {
      if (packet.cmd === 'connect') send({ cmd: 'connack', reasonCode: 0, returnCode: 0, sessionPresent: false });
      if (packet.cmd === 'subscribe') {
        const topics = packet.subscriptions.map(({ topic }) => topic);
        log.push(`subscribe ${topics.join(' ')}`);
        send({ cmd: 'suback', messageId: packet.messageId ?? 0, granted: topics.map((topic) => grants[topic] ?? 1) });
      }
      if (packet.cmd === 'unsubscribe') {
        log.push(`unsubscribe ${packet.unsubscriptions.join(' ')}`);
        send({ cmd: 'unsuback', messageId: packet.messageId ?? 0, granted: packet.unsubscriptions.map(() => 0) });
      }
    });
    for (;;) parse.parse(await peer.expect(/[\s\S]+/, 20_000));
  });
  onTestFinished(() => server.close().catch(() => undefined)); // The client's end of the link is what ends the script.
  const publish = (topic: string): void =>
    send({ cmd: 'publish', topic, payload: topic, qos: 1, retain: false, dup: false, messageId: 7 });
  return { url: `mqtt://127.0.0.1:${server.port}`, log, publish };
}

async function connected(url: string, version: 5 | 3): Promise<Client> {
  const made = client({ url, version });
  onTestFinished(() => made.connection.close(AbortSignal.abort()));
  await made.connection.connect(never);
  return made;
}

describe.each([5, 3] as const)('a topic that the broker refuses, on MQTT %i', (version) => {
  const refusal = version === 5 ? 0x87 : 0x80;

  it('shows in the status, disturbs no other topic, and is received once it is permitted', async () => {
    const grants: Record<string, number> = { 'secret/#': refusal };
    const broker = await startBroker(version, grants);
    const { connection, lost, details } = await connected(broker.url, version);
    const got = recorder();
    await connection.receive([source('open/#'), source('secret/#')], got.sink);
    expect([...details.keys()]).toEqual(['topic secret/#']);
    expect(details.get('topic secret/#')).toMatch(/^not permitted: .*reason code 0x8/);
    broker.publish('open/1');
    await vi.waitFor(() => expect(got.texts()).toEqual(['open/1']));
    const before = broker.log.length;
    grants['secret/#'] = 1;
    await vi.waitFor(() => expect(details.size).toBe(0), 5000);
    expect(new Set(broker.log.slice(before))).toEqual(new Set(['subscribe secret/#']));
    broker.publish('secret/1');
    await vi.waitFor(() => expect(got.texts()).toEqual(['open/1', 'secret/1']));
    expect(lost).toEqual([]);
  });

  it('does not take along a topic that it would have covered', async () => {
    const grants: Record<string, number> = { '#': refusal };
    const broker = await startBroker(version, grants);
    const { connection, details } = await connected(broker.url, version);
    await connection.receive([source('#'), source('open/x')], recorder().sink);
    expect(broker.log).toContain('subscribe open/x');
    expect([...details.keys()]).toEqual(['topic #']);
    grants['#'] = 1;
    await vi.waitFor(() => expect(details.size).toBe(0), 5000);
    await vi.waitFor(() => expect(broker.log.at(-1)).toBe('unsubscribe open/x'));
  });

  it('is given back when it is granted at a lower quality of service only', async () => {
    const broker = await startBroker(version, { weak: 0 });
    const { connection, details } = await connected(broker.url, version);
    await connection.receive([source('weak'), source('open')], recorder().sink);
    expect(details.get('topic weak')).toMatch(/^not permitted: the broker granted QoS 0 instead of 1.*write qos: 0/);
    expect(broker.log.at(-1)).toBe('unsubscribe weak');
  });

  it('is not asked for again when it is not wanted any more, nor after a drain', async () => {
    const broker = await startBroker(version, { 'secret/#': refusal, other: refusal });
    const { connection, details } = await connected(broker.url, version);
    await connection.receive([source('open/#'), source('secret/#')], recorder().sink);
    await connection.receive([source('open/#'), source('other')], recorder().sink);
    expect([...details.keys()]).toEqual(['topic other']);
    await connection.quiesce(never);
    expect(details.size).toBe(0);
    const before = broker.log.length;
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    expect(broker.log.slice(before)).toEqual([]);
  });
});
