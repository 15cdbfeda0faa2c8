import type { OutgoingEvent } from '@magpie/contract';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { classify, decodeMessage } from '../../src/codec/decode.ts';
import { encodeMessage } from '../../src/codec/encode.ts';
import { type Element, xml } from '../../src/codec/stanza/element.ts';
import { NS } from '../../src/codec/stanza/namespaces.ts';
import { parseStanzas } from '../support/parse.ts';

const DESTINATION = { to: 'room@service', type: 'groupchat' } as const;

const outgoing = (parts: Partial<OutgoingEvent>): OutgoingEvent => ({
  id: 'id-1',
  ref: 'ref-1',
  delivery: 'delivery-1',
  body: Buffer.from('text'),
  headers: [],
  via: [],
  time: 1_700_000_000_000,
  redelivered: false,
  ...parts,
});

const bodyOf = (message: Element): string | undefined => message.getChild('body')?.getText();

describe('encoding', () => {
  it.each([
    ['text as it is', 'hot', undefined, 'hot'],
    ['JSON as its text', '{"t":1}', 'application/json', '{"t":1}'],
    ['bytes by size and type', Buffer.from([0xff, 0x00]), 'image/png', '[2 bytes of image/png]'],
    ['bytes without a type', Buffer.from([0xff]), undefined, '[1 bytes of application/octet-stream]'],
    ['nothing by its size', '', 'text/plain', '[0 bytes of text/plain]'],
    ['text with a character XML forbids', 'a\u0007b', undefined, 'a\ufffdb'],
  ])('shows %s', (_, body, contentType, shown) => {
    const message = encodeMessage(
      outgoing({ body: Buffer.from(body), ...(contentType ? { contentType } : {}) }),
      DESTINATION,
    );
    expect(bodyOf(message)).toBe(shown);
  });

  it('names the delivery by stanza id and origin-id, the same on every resend', () => {
    const message = encodeMessage(outgoing({ id: 'sender', delivery: 'abc' }), DESTINATION);
    expect(message.attrs.id).toBe('abc');
    expect(decodeMessage(message).id).toBe('sender');
    expect(message.getChild('origin-id', NS.stanzaId)?.attrs.id).toBe('abc');
    expect(encodeMessage(outgoing({ id: 'sender', delivery: 'abc', redelivered: true }), DESTINATION).toString()).toBe(
      message.toString(),
    );
  });

  it('never changes the subject of a room', () => {
    expect(encodeMessage(outgoing({ subject: 's' }), DESTINATION).getChild('subject')).toBeUndefined();
    expect(
      encodeMessage(outgoing({ subject: 's' }), { to: 'u@d', type: 'chat' })
        .getChild('subject')
        ?.getText(),
    ).toBe('s');
  });
});

describe('decoding', () => {
  it('takes an ordinary chat message for text, whatever it looks like', () => {
    const message = xml('message', { type: 'chat', id: 'x' }, xml('body', {}, '{"on":true}'), xml('thread', {}, 't1'));
    expect(decodeMessage(message)).toEqual({
      id: 'x',
      correlationId: 't1',
      body: Buffer.from('{"on":true}'),
      contentType: 'text/plain; charset=utf-8',
      headers: [],
      via: [],
    });
  });

  it.each([
    ['content', xml('message', {}, xml('body', {}, 'x'))],
    ['error', xml('message', { type: 'error' }, xml('body', {}, 'x'))],
    ['receipt', xml('message', {}, xml('received', { xmlns: NS.receipts, id: '1' }))],
    ['subject', xml('message', { type: 'groupchat' }, xml('subject', {}, 'x'))],
    ['nothing', xml('message', {}, xml('composing', { xmlns: 'http://jabber.org/protocol/chatstates' }))],
  ])('knows %s', (kind, message) => {
    expect(classify(message)).toBe(kind);
  });

  it('keeps the digits of a number that no double holds', () => {
    const text = encodeMessage(outgoing({ headers: [['id', [5]]] }), DESTINATION).toString();
    const [message] = parseStanzas(text.replace('[5]', '[1724442618569203714,1e400]'));
    expect(decodeMessage(message!).headers).toEqual([['id', ['1724442618569203714', '1e400']]]);
  });

  it('leaves out no headers, however many: a message with too many is refused, not changed', () => {
    const headers = Array.from({ length: 100 }, (_, index): [string, string] => [`h${index}`, 'x'.repeat(400)]);
    expect(decodeMessage(encodeMessage(outgoing({ headers }), DESTINATION)).headers).toEqual(headers);
  });

  it('ignores fields that make no sense', () => {
    const own = xml(
      'event',
      { xmlns: NS.event, time: '-1', 'expires-at': 'soon', priority: '10' },
      xml('reply-to', {}),
      xml('header', {}, 'no name'),
      xml('header', { name: 'n', type: 'json' }, '{broken'),
      xml('type', { encoding: 'base64' }, '/w=='),
    );
    const message = xml('message', {}, xml('body', {}, 'x'), own);
    expect(decodeMessage(message)).toEqual({ body: Buffer.from('x'), headers: [], via: [] });
  });
});

const anyText = fc.string({ unit: 'binary', maxLength: 20 }).map((text) => text.toWellFormed());
const anyHeaderValue = fc.oneof(
  anyText,
  fc.integer(),
  fc.boolean(),
  fc.constant(null),
  fc.uint8Array({ maxLength: 8 }).map((bytes) => Buffer.from(bytes)),
  fc.array(anyText, { maxLength: 3 }),
  fc.dictionary(fc.stringMatching(/^[a-z]{1,5}$/), anyText, { maxKeys: 3, noNullPrototype: true }),
);
const anyBody = fc.oneof(
  fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
  anyText.map((text) => Buffer.from(text)),
);
const anyEvent = fc.record(
  {
    body: anyBody,
    headers: fc.array(fc.tuple(anyText, anyHeaderValue), { maxLength: 3 }),
    via: fc.array(
      anyText.filter((text) => text !== ''),
      { maxLength: 3 },
    ),
    contentType: anyText,
    correlationId: anyText,
    subject: anyText,
    type: anyText,
    replyTo: fc.record({ scheme: fc.constant('topic'), segments: fc.array(anyText, { minLength: 1, maxLength: 3 }) }),
    priority: fc.integer({ min: 0, max: 9 }),
    retain: fc.boolean(),
    expiresAt: fc.nat(),
    trace: fc.record({
      traceparent: fc.stringMatching(/^00-[1-9a-f]{32}-[1-9a-f]{16}-0[01]$/),
      tracestate: anyText.filter((text) => text !== ''),
    }),
  },
  { requiredKeys: ['body', 'headers', 'via'] },
);

describe('round trip', () => {
  it('makes 10,000 random messages exactly 10,000 stanzas with equal content', { timeout: 120_000 }, () => {
    const events = fc.sample(anyEvent, { numRuns: 10_000, seed: 42 });
    const stream = events.map((parts) => encodeMessage(outgoing(parts), DESTINATION).toString()).join('');
    const stanzas = parseStanzas(stream);
    expect(stanzas).toHaveLength(10_000);
    for (const [index, parts] of events.entries()) {
      const { ref: _, redelivered: __, delivery: ___, ...expected } = outgoing(parts);
      expect(decodeMessage(stanzas[index]!)).toEqual(expected);
    }
  });
});
