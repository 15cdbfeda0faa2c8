import fc from 'fast-check';
import type { Packet } from 'mqtt-packet';
import { describe, expect, it } from 'vitest';
import { PropertyWriter } from '../../src/wire/property-writer.ts';
import { encodeConnect, encodeSubscribe, encodeUnsubscribe } from '../../src/wire/requests.ts';
import { bytes, bytesOf, message, packetsOf, parseWithLibrary } from '../support/wire.ts';

const topic = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 200 }).filter((text) => !text.includes('\0'));
const qos = fc.constantFrom(0, 1, 2);
const packetId = fc.integer({ min: 1, max: 65_535 });
const text = fc.string({ unit: 'grapheme', maxLength: 200 });
const body = fc.uint8Array({ maxLength: 400 }).map((some) => Buffer.from(some));

/** Properties of a PUBLISH in the library's form. */
const properties = fc.record(
  {
    payloadFormatIndicator: fc.boolean(),
    messageExpiryInterval: fc.nat({ max: 0xffff_ffff }),
    contentType: text.filter((some) => some !== ''),
    responseTopic: text.filter((some) => some !== ''),
    correlationData: body,
    subscriptionIdentifier: fc.integer({ min: 1, max: 268_435_455 }),
    userProperties: fc.dictionary(
      fc.stringMatching(/^[a-z]{1,9}$/),
      text.filter((some) => some !== ''),
      {
        minKeys: 1,
        maxKeys: 4,
      },
    ),
  },
  { requiredKeys: [] },
);

/** One PUBLISH as the library writes it, with what it says. */
const published = fc.record({
  topic,
  payload: body,
  qos,
  retain: fc.boolean(),
  dup: fc.boolean(),
  messageId: packetId,
  properties,
});

type Published = typeof published extends fc.Arbitrary<infer T> ? T : never;

const asPacket = ({ properties: some, ...rest }: Published, version: 5 | 3): Packet =>
  version === 5 ? { cmd: 'publish', ...rest, properties: some } : { cmd: 'publish', ...rest };

/** Cuts bytes into chunks of these sizes, again and again. */
function cut(whole: Buffer, sizes: readonly number[]): Buffer[] {
  const chunks: Buffer[] = [];
  for (let at = 0, index = 0; at < whole.length; index++) {
    const size = sizes[index % sizes.length] ?? 1;
    chunks.push(whole.subarray(at, at + size));
    at += size;
  }
  return chunks;
}
const sizes = fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 8 });

describe.each([5, 3] as const)('receiving on MQTT %i', (version) => {
  it('reads what the library writes, however the bytes are cut', () => {
    fc.assert(
      fc.property(fc.array(published, { minLength: 1, maxLength: 6 }), sizes, (list, chunkSizes) => {
        const wire = Buffer.concat(list.map((one) => bytes(asPacket(one, version), version)));
        const received = packetsOf(cut(wire, chunkSizes), version);
        expect(received.problems).toEqual([]);
        expect(received.published.map(({ payload, ...rest }) => ({ ...rest, payload: Buffer.from(payload) }))).toEqual(
          list.map((one) => ({
            topic: one.topic,
            payload: one.payload,
            qos: one.qos,
            retain: one.retain,
            dup: one.dup,
            packetId: one.qos === 0 ? 0 : one.messageId,
            properties: version === 5 ? inOurForm(one.properties) : undefined,
          })),
        );
      }),
      { numRuns: 1000 },
    );
  });

  it('never throws over garbage, and says nothing more once it has objected', () => {
    const packets = [
      ...fc.sample(published, 60).map((one) => bytes(asPacket(one, version), version)),
      bytes({ cmd: 'suback', messageId: 5, granted: [1, 0x80] }, version),
      bytes({ cmd: 'connack', reasonCode: 0, returnCode: 0, sessionPresent: true }, version),
      bytes({ cmd: 'puback', messageId: 5 }, version),
      bytes({ cmd: 'pingresp' }, version),
      Buffer.from([0xe0, 0]),
    ];
    const mutation = fc.record({ at: fc.nat({ max: 700 }), value: fc.nat({ max: 255 }) });
    const mutated = fc
      .tuple(
        fc.array(fc.constantFrom(...packets), { minLength: 1, maxLength: 3 }),
        fc.array(mutation, { maxLength: 4 }),
      )
      .map(([list, changes]) => {
        const wire = Buffer.concat(list);
        for (const { at, value } of changes) wire[at % wire.length] = value;
        return wire;
      });
    let objections = 0;
    fc.assert(
      fc.property(fc.oneof(mutated, fc.uint8Array({ maxLength: 200 })), sizes, (wire, chunkSizes) => {
        const whole = packetsOf([wire], version);
        const inPieces = packetsOf(cut(Buffer.from(wire), chunkSizes), version);
        expect(inPieces).toEqual(whole);
        expect(whole.problems.length).toBeLessThanOrEqual(1);
        objections += whole.problems.length;
      }),
      { numRuns: 10_000 },
    );
    expect(objections).toBeGreaterThan(1000);
  });

  it('finds a packet over the limit however the bytes are cut, before it has come', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 128, max: 900 }), { maxLength: 5 }), sizes, (lengths, chunkSizes) => {
        const wire = Buffer.concat(lengths.map((length) => bytesOf(message({ payload: Buffer.alloc(length) }), 0, 3)));
        const tooLarge = lengths.map((length) => length + 6).filter((size) => size > 600);
        const { problems, published: read } = packetsOf(cut(wire, chunkSizes), 3, 600);
        expect(problems).toEqual(tooLarge.slice(0, 1).map((size) => `${size} bytes`));
        const before = lengths.findIndex((length) => length + 6 > 600);
        expect(read.length).toBe(before < 0 ? lengths.length : before);
      }),
    );
    expect(packetsOf([Buffer.from([0x30, 0xff, 0xff, 0xff, 0x7f])], version).problems).toEqual(['268435460 bytes']);
  });

  it.each<[string, readonly number[], RegExp]>([
    ['QoS 3', [0x36, 3, 0, 1, 0x61], /QoS 3/],
    ['a packet id of 0', [0x32, 6, 0, 1, 0x61, 0, 0, 0], /packet id of 0/],
    ['no topic', [0x30, 3, 0, 0, 0], /without a topic/],
    ['a topic that is not UTF-8', [0x30, 4, 0, 1, 0xff, 0], /not UTF-8/],
    ['a topic with NUL', [0x30, 4, 0, 1, 0, 0], /NUL/],
    ['a topic longer than its packet', [0x30, 4, 0, 9, 0x61, 0], /ends inside a field/],
    ['a length of five bytes', [0x30, 0x80, 0x80, 0x80, 0x80, 1], /more than four bytes/],
    ['wrong flags', [0x41, 2, 0, 1], /flags 1/],
    ['an acknowledgement without an id', [0x40, 1, 0], /ends inside a field/],
    ['a login', [0x10, 0], /which no broker may send/],
    ['AUTH', [0xf0, 0], /AUTH/],
    ['too many bytes', [0xd0, 1, 0], /1 bytes too many/],
  ])('objects to %s', (_, wire, problem) => {
    const { problems, published: read } = packetsOf([Buffer.from(wire)], version);
    expect(problems).toEqual([expect.stringMatching(problem)]);
    expect(read).toEqual([]);
  });

  it('keeps no large chunk alive for a small message', () => {
    const small = bytesOf(message({ payload: Buffer.alloc(100, 1) }), 0, version);
    const { published: read } = packetsOf([Buffer.concat([small, Buffer.alloc(60_000)])], version);
    expect(read[0]?.payload.buffer.byteLength).toBeLessThanOrEqual(Buffer.poolSize);
    const large = bytesOf(message({ payload: Buffer.alloc(60_000, 1) }), 0, version);
    const [first] = packetsOf([large], version).published;
    expect(first?.payload.length).toBe(60_000);
  });
});

describe('receiving on MQTT 5', () => {
  it.each<[string, readonly number[], RegExp]>([
    ['a topic alias', [0x23, 0, 1], /topic alias/],
    ['an unknown property', [0x7f, 0], /unknown property 0x7F/],
    ['a property twice', [0x01, 1, 0x01, 1], /twice/],
    ['a flag of 2', [0x01, 2], /only be 0 or 1/],
    ['a subscription identifier of 0', [0x0b, 0], /Subscription Identifier of 0/],
    ['a property cut short', [0x02, 0, 0], /ends inside a field/],
  ])('objects to %s', (_, some, problem) => {
    const wire = Buffer.from([0x30, 4 + some.length, 0, 1, 0x61, some.length, ...some]);
    expect(packetsOf([wire], 5).problems).toEqual([expect.stringMatching(problem)]);
  });

  it('takes a text that is not UTF-8 from a sender’s property, so that one message cannot end every link', () => {
    const pair = [0x26, 0, 1, 0x78, 0, 2, 0xff, 0x79];
    const { published: read, problems } = packetsOf(
      [Buffer.from([0x30, 4 + pair.length, 0, 1, 0x61, pair.length, ...pair])],
      5,
    );
    expect(problems).toEqual([]);
    expect(read[0]?.properties?.userProperties).toEqual([['x', '\ufffdy']]);
  });

  it('reads the reason of every answer', () => {
    const some = { reasonString: 'because' };
    const wire = Buffer.concat([
      bytes({ cmd: 'puback', messageId: 1, reasonCode: 0x87, properties: some }, 5),
      bytes({ cmd: 'pubrec', messageId: 2, reasonCode: 0x97 }, 5),
      bytes({ cmd: 'suback', messageId: 3, granted: [1, 0x87], properties: some }, 5),
      bytes({ cmd: 'disconnect', reasonCode: 0x8e, properties: some }, 5),
    ]);
    expect(packetsOf([wire], 5).controls).toEqual([
      { type: 'puback', packetId: 1, reasonCode: 0x87, reasonString: 'because' },
      { type: 'pubrec', packetId: 2, reasonCode: 0x97, reasonString: undefined },
      { type: 'suback', packetId: 3, codes: [1, 0x87], reasonString: 'because' },
      { type: 'disconnect', reasonCode: 0x8e, reasonString: 'because' },
    ]);
  });
});

describe.each([5, 3] as const)('sending on MQTT %i', (version) => {
  it('writes what the library reads', () => {
    const sent = fc.record({ topic, payload: body, qos, retain: fc.boolean() });
    const pairs = fc.array(fc.tuple(fc.stringMatching(/^[a-z]{1,9}$/), fc.stringMatching(/^[ -~]{1,300}$/)), {
      maxLength: 5,
    });
    const writer = new PropertyWriter(() => {
      throw new Error('too long');
    });
    fc.assert(
      fc.property(sent, packetId, pairs, (some, id, list) => {
        writer.begin();
        for (const [name, value] of list) writer.pair(name, value);
        const packet = version === 5 ? { ...some, properties: writer.finish() } : some;
        const [read] = parseWithLibrary(bytesOf(packet, id, version), version);
        expect(read).toMatchObject({ cmd: 'publish', ...some, ...(some.qos > 0 ? { messageId: id } : {}) });
        if (read?.cmd !== 'publish' || version === 3) return;
        const values = Object.entries(read.properties?.userProperties ?? {}).map(([name, value]) => [
          name,
          [value].flat(),
        ]);
        const grouped = Map.groupBy(list, ([name]) => name);
        expect(values).toEqual([...grouped].map(([name, group]) => [name, group.map(([, value]) => value)]));
      }),
      { numRuns: 1000 },
    );
  });

  it('logs in, subscribes and unsubscribes as the library understands it', () => {
    const will = { topic: 'gone', payload: Buffer.from('bye'), qos: 1, retain: true } as const;
    const limits = { sessionExpiryInterval: 7, receiveMaximum: 8, maximumPacketSize: 9 };
    const login = {
      version,
      clientId: 'me',
      clean: false,
      keepalive: 300,
      username: 'ü',
      password: 'p',
      will,
      ...limits,
    };
    const subscription = { qos: 1, nl: true, rap: true, rh: 2 } as const;
    const wire = Buffer.concat([
      encodeConnect(login),
      encodeSubscribe(300, ['a/#', 'b'], { ...subscription, ...(version === 5 && { identifier: 200 }) }, version),
      encodeUnsubscribe(301, ['a/#', 'b'], version),
    ]);
    const options = version === 5 ? subscription : { qos: 1 };
    expect(parseWithLibrary(wire, version)).toMatchObject([
      {
        cmd: 'connect',
        protocolVersion: version === 5 ? 5 : 4,
        clientId: 'me',
        clean: false,
        keepalive: 300,
        username: 'ü',
        password: Buffer.from('p'),
        will,
        ...(version === 5 && { properties: limits }),
      },
      {
        cmd: 'subscribe',
        messageId: 300,
        subscriptions: ['a/#', 'b'].map((filter) => ({ topic: filter, ...options })),
        ...(version === 5 && { properties: { subscriptionIdentifier: 200 } }),
      },
      { cmd: 'unsubscribe', messageId: 301, unsubscriptions: ['a/#', 'b'] },
    ]);
    const bare = encodeConnect({ version, clientId: 'me', clean: true, keepalive: 0, ...limits });
    expect(parseWithLibrary(bare, version)).toMatchObject([{ cmd: 'connect', clean: true, clientId: 'me' }]);
  });
});

/** The library's form of properties as our parser gives them; undefined when there are none. */
function inOurForm({ subscriptionIdentifier, userProperties, ...rest }: Published['properties']) {
  const ours = {
    ...rest,
    ...(subscriptionIdentifier === undefined ? {} : { subscriptionIdentifiers: [subscriptionIdentifier] }),
    ...(userProperties === undefined ? {} : { userProperties: Object.entries(userProperties) }),
  };
  return Object.keys(ours).length === 0 ? undefined : ours;
}
