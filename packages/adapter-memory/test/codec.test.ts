import type { OutgoingEvent } from '@magpie/contract';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeDelivery, type LinkFacts } from '../src/codec/decode.ts';
import { encodeMessage } from '../src/codec/encode.ts';

const link: LinkFacts = { clientId: 'gw/floor', epoch: 'e1', metadata: true };
const event: OutgoingEvent = {
  id: 'm1',
  ref: 'r1',
  delivery: 'd1',
  type: 'alarm',
  subject: 'pump',
  contentType: 'application/json',
  contentEncoding: 'gzip',
  body: Buffer.from('{}'),
  headers: [
    ['a', 'b'],
    ['a', 7],
    ['deep', [null, { yes: true }]],
  ],
  correlationId: 'c1',
  replyTo: { scheme: 'queue', segments: ['answers'] },
  priority: 9,
  trace: { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' },
  via: ['gw-a'],
  time: 1,
  expiresAt: 2,
  redelivered: true,
};
const target = { address: { scheme: 'channel', segments: ['out', 'p7'] }, options: { channel: 'out/p7' } };
const { ref: _ref, delivery: _delivery, redelivered: _redelivered, ...carried } = event;

describe('the codec', () => {
  it('carries every part of a message there and back', () => {
    const message = encodeMessage(event, target, link);
    expect(decodeDelivery({ number: 3, message, redelivered: false }, link)).toEqual({
      ...carried,
      kind: 'message',
      address: target.address,
      origin: { channel: 'out/p7', sender: 'gw/floor' },
      dedupeKey: '["e1","gw/floor",3]',
    });
  });

  it('carries the body alone over a link without metadata', () => {
    const bare = { ...link, metadata: false };
    const message = encodeMessage(event, target, bare);
    expect(message.properties).toEqual({});
    expect(decodeDelivery({ number: 3, message, redelivered: true }, bare)).toEqual({
      body: event.body,
      headers: [],
      via: [],
      kind: 'message',
      address: target.address,
      origin: { channel: 'out/p7', sender: 'gw/floor' },
      redelivered: true,
    });
  });

  it('retains as the target says, else as the message says', () => {
    const retained = (retain: boolean | undefined, parts: Partial<OutgoingEvent>): boolean =>
      encodeMessage({ ...event, ...parts }, { ...target, options: { channel: 'out/p7', retain } }, link).retain;
    expect(retained(undefined, {})).toBe(false);
    expect(retained(undefined, { retain: true })).toBe(true);
    expect(retained(false, { retain: true })).toBe(false);
    expect(retained(true, {})).toBe(true);
  });

  it('gives the same dedupe key to a redelivery and no other message', () => {
    const message = encodeMessage(event, target, link);
    const key = (number: number, redelivered: boolean, facts = link): string | undefined =>
      decodeDelivery({ number, message, redelivered }, facts).dedupeKey;
    expect(key(1, true)).toBe(key(1, false));
    expect(new Set([key(1, false), key(2, false), key(1, false, { ...link, epoch: 'e2' })]).size).toBe(3);
  });

  it('makes an event of any message whatever', () => {
    const anything = fc.record({
      channel: fc.string(),
      body: fc.uint8Array(),
      retain: fc.boolean(),
      sender: fc.string(),
    });
    const property = fc.property(anything, fc.boolean(), (parts, metadata) => {
      const delivery = { number: 1, redelivered: false, message: { ...parts, properties: {} } };
      const decoded = decodeDelivery(delivery, { ...link, metadata });
      expect(decoded.body).toBe(parts.body);
      expect(decoded.address.segments.join('/')).toBe(parts.channel);
    });
    fc.assert(property);
  });
});
