import { type OutgoingEvent, Rejected, type TargetRequest, TooLarge } from '@magpie/contract';
import fc from 'fast-check';
import { generate, parser } from 'mqtt-packet';
import { describe, expect, it } from 'vitest';
import { decode, type InboundPacket } from '../src/decode.ts';
import { encode, type OutboundPacket, packetBytes } from '../src/encode.ts';
import { fromMqttText, illegalText, toMqttText } from '../src/text.ts';

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

/** The packet as it comes out of the parser of the library after a trip as bytes. */
function overTheWire(packet: OutboundPacket): { packet: InboundPacket; bytes: number } {
  const bytes = generate({ cmd: 'publish', dup: false, messageId: 7, ...packet }, { protocolVersion: 5 });
  let received: InboundPacket | undefined;
  const reader = parser({ protocolVersion: 5 });
  reader.on('packet', (parsed) => {
    if (parsed.cmd === 'publish') received = parsed;
  });
  reader.parse(bytes);
  if (!received) throw new Error('no packet came out');
  return { packet: received, bytes: bytes.length };
}

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
    expect(encode(event({ replyTo }), target, 5, NOW).properties?.responseTopic).toBe('answers/7');
    expect(roundTrip(event({ replyTo })).replyTo).toEqual(replyTo);
  });

  it('rounds the expiry up to whole seconds, at least one', () => {
    const expiry = (expiresAt: number) =>
      encode(event({ expiresAt }), target, 5, NOW).properties?.messageExpiryInterval;
    expect([expiry(NOW + 1001), expiry(NOW + 1), expiry(NOW - 5000)]).toEqual([2, 1, 1]);
  });

  it('sends nothing but topic, body and flags on 3.1.1', () => {
    const packet = encode(event({ retain: true, headers: [['a', 'b']] }), target, 3, NOW);
    expect(packet).toEqual({ topic: 'a/b', payload: Buffer.from('body'), qos: 1, retain: true });
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

  it('makes an event of any properties, whatever they hold', () => {
    const properties = fc.dictionary(
      fc.constantFrom('userProperties', 'contentType', 'responseTopic', 'correlationData', 'messageExpiryInterval'),
      fc.oneof(
        fc.anything(),
        fc.dictionary(fc.constantFrom('magpie-time', 'magpie-reply-to', 'magpie-priority', 'x'), fc.anything()),
      ),
    );
    fc.assert(
      fc.property(properties, fc.string(), (some, topic) => {
        const packet = {
          topic,
          payload: Buffer.alloc(0),
          qos: 1,
          retain: false,
          dup: false,
          messageId: 1,
          properties: some,
        };
        expect(decode(packet, { version: 5, now: NOW, replay: false }).kind).toBe('message');
      }),
      { numRuns: 1000 },
    );
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
    const packet = {
      topic: 'a',
      payload: 'x',
      qos: 0,
      retain: false,
      dup: false,
      properties: { userProperties: { uid: 'k1' } },
    };
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
    expect(() => encode(event({ headers: [['x', 'y'.repeat(70_000)]] }), target, 5, NOW)).toThrow(TooLarge);
  });
});
