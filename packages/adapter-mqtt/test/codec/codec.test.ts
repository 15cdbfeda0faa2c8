import { type OutgoingEvent, Rejected, type TargetRequest, TooLarge } from '@magpie/contract';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decode } from '../../src/codec/decode.ts';
import { encode, packetBytes } from '../../src/codec/encode.ts';
import { fromMqttText, illegalText, toMqttText } from '../../src/codec/text.ts';
import type { OutboundPacket } from '../../src/wire/outgoing.ts';
import type { InboundPacket } from '../../src/wire/packets.ts';
import { bytesOf, packetsOf, parseWithLibrary } from '../support/wire.ts';

const NOW = Date.UTC(2026, 0, 2, 3, 4, 5, 6);
const target: TargetRequest = { address: { scheme: 'topic', segments: ['a', 'b'] }, options: { qos: 1 } };
const event = (parts: Partial<OutgoingEvent> = {}): OutgoingEvent => ({
  id: 'id-1',
  ref: 'ref-1',
  delivery: 'ref-1/target',
  body: Buffer.from('body'),
  headers: [],
  via: [],
  time: NOW,
  redelivered: false,
  ...parts,
});

/** The packet after a trip as bytes. */
function overTheWire(packet: OutboundPacket): { packet: InboundPacket; bytes: number } {
  const bytes = bytesOf(packet, 7, 5);
  const [received] = packetsOf([bytes], 5).published;
  if (!received) throw new Error('no packet came out');
  return { packet: received, bytes: bytes.length };
}

/** A received message with these properties only. */
const inbound = (properties: InboundPacket['properties'], topic = 'a'): InboundPacket => ({
  topic,
  payload: Buffer.from('x'),
  qos: 1,
  retain: false,
  dup: false,
  packetId: 1,
  properties,
});

const roundTrip = (sent: OutgoingEvent) =>
  decode(overTheWire(encode(sent, target, 5, NOW)).packet, { version: 5, now: NOW, replay: false });

const anyText = fc.string({ unit: 'binary', maxLength: 20 }).filter((text) => text.isWellFormed());
const name = fc
  .stringMatching(/^[a-zA-Z-]{1,12}$/)
  .filter((text) => !text.startsWith('magpie-') && !/^trace/.test(text));

describe('codec', () => {
  it('carries every field over MQTT 5 and back', () => {
    const parts = {
      id: 'message-1',
      type: 'org.example.alarm',
      subject: 'pump 7',
      contentType: 'application/json',
      contentEncoding: 'gzip',
      headers: [
        ['x', '1'],
        ['x', '2'],
        ['empty', ''],
        ['line', 'a\nb'],
      ] as const,
      correlationId: 'base64:/wA=',
      replyTo: { scheme: 'queue', segments: ['answers/7', 'ü'] },
      priority: 9,
      trace: { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', tracestate: 'a=b' },
      via: ['gateway-a', 'gateway-b'],
      time: NOW - 1234,
      expiresAt: NOW + 60_000,
    };
    expect(roundTrip(event(parts))).toMatchObject({ ...parts, kind: 'message', body: Buffer.from('body') });
  });

  it('carries a reply topic as the response topic', () => {
    const replyTo = { scheme: 'topic', segments: ['answers', '7'] };
    const [packet] = parseWithLibrary(bytesOf(encode(event({ replyTo }), target, 5, NOW), 1, 5), 5);
    expect(packet).toMatchObject({ properties: { responseTopic: 'answers/7' } });
    expect(roundTrip(event({ replyTo })).replyTo).toEqual(replyTo);
  });

  it('keeps the order of headers', () => {
    const headers = ['b', 'a', 'b', 'c', 'a'].map((name, index) => [name, String(index)] as const);
    expect(roundTrip(event({ headers })).headers).toEqual(headers);
  });

  it('rounds the expiry up to whole seconds, at least one', () => {
    const expiry = (expiresAt: number) => roundTrip(event({ expiresAt })).expiresAt;
    expect([expiry(NOW + 1001), expiry(NOW + 1), expiry(NOW - 5000)]).toEqual([NOW + 2000, NOW + 1000, NOW + 1000]);
  });

  it('sends nothing but topic, body and flags on 3.1.1', () => {
    const packet = encode(event({ retain: true, headers: [['a', 'b']] }), target, 3, NOW);
    expect(packet).toEqual({ topic: 'a/b', payload: Buffer.from('body'), qos: 1, retain: true });
    expect(parseWithLibrary(bytesOf(packet, 9, 3), 3)).toMatchObject([{ topic: 'a/b', messageId: 9, retain: true }]);
  });

  it('does not let a header pose as a reserved property', () => {
    const received = roundTrip(
      event({
        headers: [
          ['magpie-id', 'forged'],
          ['magpie-via', 'forged'],
        ],
      }),
    );
    expect([received.id, received.via, received.headers]).toEqual(['id-1', [], []]);
  });

  it('writes typed header values as text', () => {
    const headers: OutgoingEvent['headers'] = [
      ['n', 1.5],
      ['b', true],
      ['z', null],
      ['l', [1, 'x']],
      ['u', Uint8Array.of(255)],
    ];
    expect(roundTrip(event({ headers })).headers).toEqual([
      ['n', '1.5'],
      ['b', 'true'],
      ['z', 'null'],
      ['l', '[1,"x"]'],
      ['u', 'base64:/w=='],
    ]);
  });

  it('round-trips any well-formed text in any field', () => {
    const parts = fc.record({
      id: anyText,
      type: anyText,
      subject: anyText,
      contentType: anyText.filter((text) => text !== ''),
      headers: fc.uniqueArray(fc.tuple(name, anyText), { selector: ([key]) => key, maxLength: 5 }),
      correlationId: anyText.filter((text) => !text.startsWith('base64:')),
      via: fc.array(
        anyText.filter((text) => text !== ''),
        { maxLength: 3 },
      ),
      body: fc.uint8Array({ maxLength: 50 }).map((bytes) => Buffer.from(bytes)),
      time: fc.integer({ min: 0, max: 4e12 }),
      priority: fc.integer({ min: 0, max: 9 }),
      replyTo: fc.record({
        scheme: fc.constantFrom('topic', 'queue', 'room'),
        segments: fc.array(anyText, { minLength: 1, maxLength: 3 }),
      }),
    });
    fc.assert(
      fc.property(parts, (some) => {
        expect(roundTrip(event(some))).toMatchObject(some);
      }),
      { numRuns: 500 },
    );
  });

  it('never puts a text on the wire that a broker may close the link for', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(illegalText(toMqttText(text))).toBe(false);
        expect(fromMqttText(toMqttText(text))).toBe(text.toWellFormed());
      }),
      { numRuns: 1000, examples: [['base64:AAA='], ['base64:'], ['\u0000'], ['\uffff'], ['\ud800']] },
    );
  });

  it('makes an event of any properties, and keeps what it cannot read as headers', () => {
    const reserved = fc.constantFrom('magpie-time', 'magpie-reply-to', 'magpie-priority', 'tracestate', 'x');
    fc.assert(
      fc.property(fc.array(fc.tuple(reserved, fc.string()), { maxLength: 6 }), fc.string(), (userProperties, topic) => {
        const received = decode(inbound({ userProperties }, topic), { version: 5, now: NOW, replay: false });
        expect(received.address.segments.join('/')).toBe(topic);
        const plain = userProperties.filter(([name]) => name === 'x');
        expect(received.headers.filter(([name]) => name === 'x')).toEqual(plain);
      }),
      { numRuns: 1000 },
    );
    const garbage = [
      ['magpie-time', 'soon'],
      ['x', '1'],
      ['magpie-priority', '10'],
      ['magpie-reply-to', 'nowhere'],
      ['tracestate', 'a=b'],
    ] as const;
    const received = decode(inbound({ userProperties: [...garbage] }), { version: 5, now: NOW, replay: false });
    expect(received.headers).toEqual(garbage);
    expect(received).not.toHaveProperty('time');
    expect(Object.keys(received)).not.toEqual(expect.arrayContaining(['priority', 'replyTo', 'trace']));
  });

  it('knows the size of a packet', () => {
    fc.assert(
      fc.property(
        fc.string({ maxLength: 200 }),
        fc.nat({ max: 40_000 }),
        fc.constantFrom(0, 1, 2),
        (text, size, qos) => {
          const sent = event({
            body: Buffer.alloc(size),
            subject: text,
            contentType: 'text/plain',
            correlationId: text,
            expiresAt: NOW,
          });
          const packet = encode(sent, { ...target, options: { qos } }, 5, NOW);
          expect(packetBytes(packet)).toBe(overTheWire(packet).bytes);
        },
      ),
      { numRuns: 100 },
    );
  });

  it('takes the dedupe key from the configured property only', () => {
    const packet = inbound({ userProperties: [['uid', 'k1']] });
    const options = { version: 5, now: NOW, replay: false } as const;
    expect(decode(packet, { ...options, dedupeProperty: 'uid' })).toMatchObject({
      dedupeKey: 'k1',
      headers: [['uid', 'k1']],
    });
    expect(decode(packet, options).dedupeKey).toBeUndefined();
  });

  it('refuses an address that is no topic and a property that is too long', () => {
    const wrong = { ...target, address: { scheme: 'queue', segments: ['q'] } };
    expect(() => encode(event(), wrong, 5, NOW)).toThrow(Rejected);
    for (const segments of [[], [''], ['a/b'], ['a', '+'], ['$SYS'], ['a\u0001']]) {
      const bad = { ...target, address: { scheme: 'topic', segments } };
      expect(() => encode(event(), bad, 5, NOW), JSON.stringify(segments)).toThrow(Rejected);
    }
    expect(() => encode(event({ headers: [['x', 'y'.repeat(70_000)]] }), target, 5, NOW)).toThrow(TooLarge);
  });
});
