import { newRef, Rejected, TooLarge } from '@magpie/contract';
import { describe, expect, it } from 'vitest';
import { decode } from '../../src/codec/decode.ts';
import { consumed, decoding, encoding, NOW, sentProperties } from '../support/messages.ts';

const LONG = 'é'.repeat(128);
/** A UUIDv7 made 5999 ms after the epoch. */
const V7_AT_5999 = '00000000-176f-7abc-8def-0123456789ab';

describe('receiving', () => {
  it('takes every property', () => {
    const event = decode(
      consumed({
        messageId: 'm-1',
        type: 'alarm',
        contentType: 'application/json',
        contentEncoding: 'gzip',
        correlationId: 'c-1',
        replyTo: 'answers',
        expiration: '5000',
        priority: 7,
        timestamp: 1_700_000_000,
        appId: 'app',
        userId: 'bob',
        deliveryMode: 2,
      }),
      decoding,
    );
    expect(event).toMatchObject({
      kind: 'message',
      address: { scheme: 'queue', segments: ['inbox', 'a', 'b'] },
      id: 'm-1',
      type: 'alarm',
      contentType: 'application/json',
      contentEncoding: 'gzip',
      correlationId: 'c-1',
      replyTo: { scheme: 'queue', segments: ['answers'] },
      expiresAt: NOW + 5000,
      priority: 7,
      time: 1_700_000_000_000,
      origin: { queue: 'inbox', exchange: 'alarms', routingKey: 'a.b', appId: 'app', userId: 'bob', deliveryMode: 2 },
    });
    expect(event).not.toHaveProperty('redelivered');
    expect(event).toMatchObject({ dedupeKey: 'inbox/m-1', dedupe: 'redelivered' });
  });

  it.each([
    ['time', { timestamp: 8.64e15 }, { time: undefined }],
    ['time', { timestamp: -1.5 }, { time: undefined }],
    ['time', { timestamp: 5, headers: { 'x-magpie-time': 5999 } }, { time: 5999 }],
    ['a time someone else has changed', { timestamp: 7, headers: { 'x-magpie-time': 5999 } }, { time: 7000 }],
    ['a time and a UUIDv7 of that second', { timestamp: 5, messageId: V7_AT_5999 }, { time: 5999, id: V7_AT_5999 }],
    ['a time and a UUIDv7 of another second', { timestamp: 7, messageId: V7_AT_5999 }, { time: 7000 }],
    ['a UUIDv7 alone', { messageId: V7_AT_5999 }, { time: undefined }],
    ['the gateway before', { appId: 'magpie/plant-b' }, { via: ['plant-b'] }],
    ['gateways before that', { appId: 'magpie/b', headers: { 'x-magpie-via': ['a', 'b'] } }, { via: ['a', 'b'] }],
    ['another application', { appId: 'erp' }, { via: [] }],
    ['priority', { priority: 255 }, { priority: 9 }],
    ['expiration', { expiration: 'soon' }, { expiresAt: undefined }],
    ['via', { headers: { 'x-magpie-via': ['a', 1, '', 'b'] } }, { via: ['a', 'b'] }],
    ['via', { headers: { 'x-magpie-via': 'a' } }, { via: [] }],
    ['trace', { headers: { traceparent: 'junk' } }, { trace: undefined, headers: [['traceparent', 'junk']] }],
    ['reply address', { headers: { 'x-reply-to': '%' } }, { replyTo: undefined, headers: [['x-reply-to', '%']] }],
    [
      'reply address',
      { headers: { 'x-reply-to': 'topic:a/b%2Fc' } },
      { replyTo: { scheme: 'topic', segments: ['a', 'b/c'] } },
    ],
    ['bytes as correlation id', { headers: { 'x-correlation-id': Buffer.of(255) } }, { correlationId: 'base64:/w==' }],
    ['a correlation id that looks like bytes', { correlationId: 'base64:x' }, { correlationId: 'base64:YmFzZTY0Ong=' }],
    ['empty texts', { messageId: '', type: '' }, { id: undefined, type: undefined }],
    ['no table', { headers: undefined }, { headers: [] }],
  ])('%s: %j', (_, properties, expected) => {
    const event = decode(consumed(properties), decoding);
    for (const [field, value] of Object.entries(expected)) expect(Reflect.get(event, field)).toEqual(value);
  });

  it('names both deliveries of a message for the dedupe window by queue and message id, and marks the second', () => {
    const named = { dedupeKey: 'a%2Fb/m/1', dedupe: 'redelivered' };
    const decodeHere = (message: ReturnType<typeof consumed>) => decode(message, { ...decoding, queue: 'a/b' });
    const first = decodeHere(consumed({ messageId: 'm/1' }));
    expect(first).toMatchObject(named);
    expect(first).not.toHaveProperty('redelivered');
    const again = consumed({ messageId: 'm/1' }, { redelivered: true });
    expect(decodeHere(again)).toMatchObject({ ...named, redelivered: true });
    const resent = consumed({ messageId: 'm/1', headers: { 'x-magpie-redelivered': true } });
    expect(decodeHere(resent)).toMatchObject({ ...named, redelivered: true, headers: [] });
  });

  it('has every delivery compared when the ids of the sender are unique', () => {
    const event = decode(consumed({ messageId: 'm-1' }), { ...decoding, uniqueIds: true });
    expect(event.dedupeKey).toBe('inbox/m-1');
    expect(event).not.toHaveProperty('dedupe');
  });

  it('leaves the dedupe window alone without a message id', () => {
    const event = decode(consumed({}, { redelivered: true }), { ...decoding, uniqueIds: true });
    expect(event).not.toHaveProperty('dedupeKey');
    expect(event).not.toHaveProperty('dedupe');
  });
});

describe('sending', () => {
  it('writes the properties there are', () => {
    const properties = sentProperties({
      type: 't',
      contentType: 'text/plain',
      correlationId: 'c',
      priority: 12,
      expiresAt: NOW + 1500.4,
    });
    expect(properties).toMatchObject({
      messageId: 'id-1',
      type: 't',
      contentType: 'text/plain',
      correlationId: 'c',
      priority: 9,
      expiration: '1500',
      timestamp: 1_800_000_000,
      deliveryMode: 2,
      appId: 'magpie/plant-a',
    });
    expect(properties).not.toHaveProperty('userId');
    expect({ ...properties.headers }).toEqual({
      'x-magpie-time': NOW,
      'x-magpie-expires-at': NOW + 1500,
    });
  });

  it('writes no header table where properties say everything', () => {
    const id = newRef(NOW + 1e12);
    const properties = sentProperties({ id, time: NOW + 1e12 });
    expect(properties).toMatchObject({ messageId: id, timestamp: Math.floor((NOW + 1e12) / 1000) });
    expect(properties).not.toHaveProperty('headers');
    expect(sentProperties({ time: 5000 })).not.toHaveProperty('headers');
  });

  it('lists the gateways passed when there was one before', () => {
    expect(sentProperties({ via: ['plant-b', 'plant-a'] }).headers).toMatchObject({
      'x-magpie-via': ['plant-b', 'plant-a'],
    });
  });

  it('moves what does not fit into 255 bytes to headers', () => {
    const long = { id: LONG, type: LONG, correlationId: LONG, contentType: LONG, contentEncoding: LONG };
    const { headers, ...properties } = sentProperties(long);
    expect(Object.keys(properties).sort()).toEqual(['appId', 'deliveryMode', 'timestamp']);
    expect(headers).toMatchObject({
      'x-magpie-id': LONG,
      'x-magpie-type': LONG,
      'x-magpie-content-type': LONG,
      'x-magpie-content-encoding': LONG,
      'x-correlation-id': LONG,
    });
  });

  it.each([
    [{ scheme: 'queue', segments: ['answers'] }, 'answers', undefined],
    [{ scheme: 'queue', segments: ['answers', 'a'] }, undefined, 'queue:answers/a'],
    [{ scheme: 'queue', segments: [LONG] }, undefined, `queue:${encodeURIComponent(LONG)}`],
    [{ scheme: 'exchange', segments: ['x/y', 'a', 'b'] }, undefined, 'exchange:x%2Fy/a/b'],
    [{ scheme: 'topic', segments: ['a/b', 'c'] }, undefined, 'topic:a%2Fb/c'],
  ])('reply address %j', (replyTo, property, header) => {
    const properties = sentProperties({ replyTo });
    expect(properties.replyTo).toBe(property);
    expect(properties.headers?.['x-reply-to']).toBe(header);
  });

  it('leaves out an expiration that RabbitMQ would refuse, and keeps the exact time', () => {
    const expiresAt = NOW + 0x1_0000_0000;
    const properties = sentProperties({ expiresAt });
    expect(properties).not.toHaveProperty('expiration');
    expect(properties.headers?.['x-magpie-expires-at']).toBe(expiresAt);
    expect(sentProperties({ expiresAt: 1 }).expiration).toBe('0');
  });

  it('does not send headers that steer the broker or belong to us', () => {
    const names = [
      'CC',
      'BCC',
      'x-death',
      'x-first-death-queue',
      'x-last-death-reason',
      'x-magpie-via',
      'x-magpie-any',
      'x-reply-to',
    ];
    const { headers } = sentProperties({ headers: [...names.map((name) => [name, 'v'] as const), ['cc', 'kept']] });
    expect({ ...headers }).toEqual({ cc: 'kept', 'x-magpie-time': NOW });
  });

  it('makes a list of repeated names', () => {
    const { headers } = sentProperties({
      headers: [
        ['a', 1],
        ['b', [1]],
        ['a', 'x'],
        ['b', [2]],
        ['a', null],
      ],
    });
    expect(headers).toMatchObject({ a: [1, 'x', null], b: [[1], [2]] });
  });

  it('refuses headers AMQP cannot carry', () => {
    const headers = (value: string) => Array.from({ length: 5 }, (_, n) => [`h${n}`, value] as const);
    expect(() => sentProperties({ headers: headers('x'.repeat(7000)) })).toThrow(TooLarge);
    expect(() => sentProperties({ subject: 'x'.repeat(65_500) })).toThrow(TooLarge);
    expect(() => sentProperties({ subject: 'x'.repeat(5000) }, { ...encoding, frameMax: 4096 })).toThrow(TooLarge);
    expect(() => sentProperties({ headers: [[LONG, 1]] })).toThrow(Rejected);
    expect(() => sentProperties({ headers: [['a', { [LONG]: 1 }]] })).toThrow(Rejected);
    let deep: readonly unknown[] = [];
    for (let level = 0; level < 40; level++) deep = [deep];
    // Deeper than the type can say.
    expect(() => sentProperties({ headers: [['a', deep as never]] })).toThrow(Rejected);
  });
});
