import type { Verdict } from '@magpie/contract';
import { type Peer, scriptedServer } from '@magpie/testkit';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { client, event, never, recorder, source, target } from '../support/harness.ts';
import { type ConnackProperties, connack, publish, suback } from '../support/wire.ts';

/** Plays the broker's side up to the CONNACK, then the script; runs the test against it. */
async function withBroker(
  script: (peer: Peer) => Promise<void>,
  test: (url: string) => Promise<void>,
  properties?: ConnackProperties,
): Promise<void> {
  const server = await scriptedServer(async (peer) => {
    const login = await peer.expect(/\x10[\s\S]{1,2}\x00\x04MQTT[\x04\x05]/);
    peer.send(connack(login.at(-1) === 5 ? 5 : 3, properties));
    await script(peer);
  });
  await test(`mqtt://127.0.0.1:${server.port}`);
  await server.close();
}

/** Answers the SUBSCRIBE packets of one filter. */
async function subscribed(peer: Peer, version: 5 | 3): Promise<void> {
  for (let step = 0; step < (version === 5 ? 2 : 1); step++) {
    const bytes = await peer.expect(/\x82[\s\S]{3}/);
    peer.send(suback(version, bytes.readUInt16BE(bytes.length - 2)));
    await peer.expect(/a\/#[\s\S]/);
  }
}

describe.each([5, 3] as const)('acknowledging on MQTT %i', (version) => {
  it('acknowledges in the order of receipt, though later messages are judged first', async () => {
    const judged: ((verdict: Verdict) => void)[] = [];
    const acknowledged = Promise.withResolvers<Buffer>();
    await withBroker(
      async (peer) => {
        await subscribed(peer, version);
        for (const id of [11, 12]) {
          peer.send(publish(version, `a/${id}`, id));
          await vi.waitFor(() => expect(judged.length).toBe(id - 10));
        }
        judged[1]?.({ type: 'stored' });
        judged[0]?.({ type: 'stored' });
        acknowledged.resolve(await peer.expect(/\x40\x02[\s\S]{2}\x40\x02[\s\S]{2}/));
      },
      async (url) => {
        const { connection } = client({ url, version });
        await connection.connect(never);
        await connection.receive([source('a/#')], async () => [
          await new Promise<Verdict>((done) => judged.push(done)),
        ]);
        expect((await acknowledged.promise).toString('hex')).toBe('4002000b4002000c');
        await connection.close(AbortSignal.abort());
      },
    );
  });

  it('confirms a QoS 2 message only once it is stored', async () => {
    const stored = Promise.withResolvers<Verdict[]>();
    const received = Promise.withResolvers<void>();
    const order: string[] = [];
    await withBroker(
      async (peer) => {
        await subscribed(peer, version);
        peer.send(publish(version, 'a/b', 7, 2));
        const pubrec = await peer.expect(Buffer.from([0x50, 2, 0, 7]));
        order.push(pubrec.toString('hex'));
        peer.send(Buffer.from([0x62, 2, 0, 7]));
        order.push((await peer.expect(/\x70[\s\S]{1}\x00\x07/)).toString('hex').slice(0, 2));
        received.resolve();
      },
      async (url) => {
        const { connection } = client({ url, version });
        await connection.connect(never);
        await connection.receive([source('a/#')], (batch) => {
          expect(batch[0]?.origin).toMatchObject({ qos: 2, packetId: 7 });
          setTimeout(() => {
            order.push('stored');
            stored.resolve([{ type: 'stored' }]);
          }, 30);
          return stored.promise;
        });
        await received.promise;
        expect(order).toEqual(['stored', '50020007', '70']);
        await connection.close(AbortSignal.abort());
      },
    );
  });

  it('survives any bytes from the broker', async () => {
    const packets = [publish(version, 'a/b', 3), suback(version, 1), connack(version, { receiveMaximum: 1 })];
    const mutated = fc
      .tuple(fc.constantFrom(...packets), fc.nat({ max: 30 }), fc.nat({ max: 255 }))
      .map(([packet, at, value]) => packet.with(at % packet.length, value));
    const garbage = fc.sample(fc.oneof(fc.uint8Array({ minLength: 1, maxLength: 60 }), mutated), 80);
    for (const bytes of garbage) {
      await withBroker(
        async (peer) => {
          peer.send(bytes);
          peer.end();
        },
        async (url) => {
          const { connection, lost } = client({ url, version });
          const connected = await connection.connect(never).then(
            () => true,
            () => false,
          );
          if (connected) await vi.waitFor(() => expect(lost.length).toBe(1));
          await connection.close(AbortSignal.abort());
        },
      );
    }
  });
});

describe('the end of a link', () => {
  it('is a Conflict when the broker says that another client has our id, and leaves sends unknown', async () => {
    await withBroker(
      async (peer) => {
        await peer.expect(/\x32[\s\S]\x00\x01t/);
        peer.send(Buffer.from([0xe0, 2, 0x8e, 0]));
      },
      async (url) => {
        const { connection, lost } = client({ url });
        await connection.connect(never);
        await expect(connection.send(event('x'), target('t'), never)).rejects.toMatchObject({ name: 'Unknown' });
        expect(lost.map(String)).toEqual([expect.stringMatching(/^Conflict: .*another client uses our client id/)]);
        await expect(connection.probe(never)).rejects.toMatchObject({ name: 'NotConnected' });
      },
    );
  });

  it('frees the packet ids of interrupted QoS 2 messages that the broker has acknowledged', async () => {
    const released = Promise.withResolvers<[sent: number, released: number]>();
    let id = 0;
    await withBroker(
      async (peer) => {
        if (peer.index === 0) {
          const packet = await peer.expect(/\x34[\s\S]\x00\x01t[\s\S]{2}/);
          id = packet.readUInt16BE(packet.length - 2);
          peer.send(Buffer.concat([Buffer.from([0x50, 2]), packet.subarray(-2)]));
          await peer.expect(/\x62\x02[\s\S]{2}/);
          return peer.end();
        }
        const pubrel = await peer.expect(/\x62\x02[\s\S]{2}/);
        released.resolve([id, pubrel.readUInt16BE(pubrel.length - 2)]);
        peer.send(Buffer.concat([Buffer.from([0x70, 3]), pubrel.subarray(-2), Buffer.from([0x92])]));
      },
      async (url) => {
        const { connection } = client({ url });
        await connection.connect(never);
        await expect(connection.send(event('x'), target('t', { qos: 2 }), never)).rejects.toMatchObject({
          name: 'Unknown',
        });
        await connection.connect(never);
        const [sent, freed] = await released.promise;
        expect(freed).toBe(sent);
        await connection.close(AbortSignal.abort());
      },
    );
  });
});

describe('the broker’s limits', () => {
  it('never has more unconfirmed than its receive maximum, in order', async () => {
    const ids: number[] = [];
    await withBroker(
      async (peer) => {
        for (let count = 0; count < 3; count++) {
          const packet = await peer.expect(/\x32[\s\S]\x00\x01t[\s\S]{2}/);
          ids.push(packet.readUInt16BE(packet.length - 2));
          await expect(peer.expect(/\x32[\s\S]\x00\x01t/, 40)).rejects.toThrow(/nothing matched/);
          peer.send(Buffer.concat([Buffer.from([0x40, 2]), packet.subarray(-2)]));
        }
      },
      async (url) => {
        const { connection } = client({ url });
        await connection.connect(never);
        const sends = ['1', '2', '3'].map((text) => connection.send(event(text), target('t'), never));
        expect(await Promise.all(sends)).toEqual(Array(3).fill({ confirmedBy: 'puback' }));
        expect(new Set(ids).size).toBe(3);
        await connection.close(AbortSignal.abort());
      },
      { receiveMaximum: 1 },
    );
  });

  it('sends nothing that the broker has ruled out', async () => {
    await withBroker(
      async () => undefined,
      async (url) => {
        const { connection } = client({ url });
        await connection.connect(never);
        await expect(connection.send(event('x'), target('t', { qos: 2 }), never)).rejects.toThrow(
          /at most QoS 1.*since this login/,
        );
        await expect(connection.send(event('x'), target('t', { retain: true }), never)).rejects.toThrow(
          /retain: false.*since this login/,
        );
        await expect(connection.send(event('x'.repeat(2000)), target('t'), never)).rejects.toMatchObject({
          name: 'Throttled',
        });
        await connection.close(AbortSignal.abort());
      },
      { maximumQoS: 1, retainAvailable: false, maximumPacketSize: 1000 },
    );
  });

  it('takes a DISCONNECT over the only message under way as that message’s fault', async () => {
    await withBroker(
      async (peer) => {
        await peer.expect(/\x32[\s\S]\x00\x01t/);
        peer.send(Buffer.from([0xe0, 2, 0x99, 0]));
      },
      async (url) => {
        const { connection, lost } = client({ url });
        await connection.connect(never);
        await expect(connection.send(event('x'), target('t'), never)).rejects.toMatchObject({ name: 'Rejected' });
        expect(lost.map(({ name }) => name)).toEqual(['NotConnected']);
      },
    );
  });

  it('closes the link over a packet beyond the limit instead of buffering it', async () => {
    await withBroker(
      async (peer) => {
        await peer.expect(/\x32[\s\S]\x00\x01t/);
        peer.send(Buffer.from([0x30, 0xff, 0xff, 0xff, 0x7f, 0, 1, 0x61]));
      },
      async (url) => {
        const { connection, lost } = client({ url });
        await connection.connect(never);
        await expect(connection.send(event('x'), target('t'), never)).rejects.toMatchObject({ name: 'Unknown' });
        expect(lost[0]?.message).toMatch(
          /a packet of 268435460 bytes, more than the limit of 16908288.*limit the size of messages at the broker/,
        );
      },
    );
  });

  it('drops and counts QoS 0 while the log holds intake', async () => {
    await withBroker(
      async (peer) => {
        await subscribed(peer, 5);
        for (let count = 0; count < 30; count++) peer.send(publish(5, 'a/x', 0, 0));
      },
      async (url) => {
        const { connection, counted } = client({ url, receiveMaximum: 10 });
        const got = recorder();
        await connection.connect(never);
        await connection.receive([source('a/#')], async (batch) => {
          await got.sink(batch);
          return new Promise<Verdict[]>(() => undefined);
        });
        await vi.waitFor(() => expect(counted['received-dropped']).toBe(20));
        await vi.waitFor(() => expect(got.events.length).toBe(10));
        await connection.close(AbortSignal.abort());
      },
    );
  });
});
