import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeItem, encodeItem } from '../../src/codec/item.ts';
import type { Element } from '../../src/codec/stanza/element.ts';
import { itemEvent } from '../../src/nodes/item-event.ts';
import { parseStanzas } from '../support/parse.ts';

const first = (text: string): Element => {
  const [element] = parseStanzas(text);
  if (!element) throw new Error(`no element in ${text}`);
  return element;
};

const outgoing = (body: Uint8Array, contentType?: string) => ({
  ref: 'r',
  delivery: 'd',
  id: 'i',
  body,
  headers: [['unit', 'bar']] as const,
  via: ['other'],
  time: 1_700_000_000_000,
  redelivered: false,
  ...(contentType === undefined ? {} : { contentType }),
});

const travelled = (body: Uint8Array, contentType?: string) =>
  decodeItem(first(encodeItem(outgoing(body, contentType)).toString()));

describe('an item that a gateway publishes', () => {
  it('carries any bytes, with their media type, headers and the gateways they have passed', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 200 }),
        fc.constantFrom('application/json', 'text/plain', 'image/png'),
        (body, type) => {
          const got = travelled(body, type);
          expect(Buffer.from(got.body)).toEqual(Buffer.from(body));
          expect(got).toMatchObject({
            contentType: type,
            headers: [['unit', 'bar']],
            via: ['other'],
            time: 1_700_000_000_000,
          });
        },
      ),
    );
  });

  it('carries any text exactly', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(Buffer.from(travelled(Buffer.from(text)).body).toString()).toBe(text.toWellFormed());
      }),
    );
  });

  it('shows JSON in a container that others read (XEP-0335)', () => {
    const json = encodeItem(outgoing(Buffer.from('{"level":3}'), 'application/json')).getChild(
      'json',
      'urn:xmpp:json:0',
    );
    expect(json?.getText()).toBe('{"level":3}');
  });
});

describe('an item of another publisher', () => {
  it.each([
    ['<json xmlns="urn:xmpp:json:0">{"a":1}</json>', 'application/json', '{"a":1}'],
    ['<state xmlns="urn:x">on &amp; off</state>', 'text/plain; charset=utf-8', 'on & off'],
    [
      '<entry xmlns="urn:x"><title>hot</title></entry>',
      'application/xml',
      '<entry xmlns="urn:x"><title>hot</title></entry>',
    ],
    ['<nothing xmlns="urn:x"/>', 'text/plain; charset=utf-8', ''],
  ])('%s is %s', (payload, contentType, text) => {
    const got = decodeItem(first(payload));
    expect(got.contentType).toBe(contentType);
    expect(Buffer.from(got.body).toString()).toBe(text);
  });

  it('without a payload is empty', () => {
    expect(decodeItem(undefined)).toEqual({ body: new Uint8Array(), headers: [], via: [] });
  });
});

describe('the event of an item', () => {
  it('names the node, the item and who the service says has published it, and no reply address', () => {
    const payload = first(
      "<event xmlns='urn:magpie:event:1'><body>hot</body><reply-to>topic:plant/set</reply-to></event>",
    );
    const place = { service: 'pubsub.example.org', node: 'alarms' };
    const item = { id: 'pump-7', publisher: 'nadia@example.org/x', payload };
    const event = itemEvent(place, item, { stanzaType: 'headline', replay: false });
    expect(event).toMatchObject({
      ...{ address: { scheme: 'node', segments: ['pubsub.example.org', 'alarms'] }, id: 'pump-7' },
      origin: { node: 'alarms', item: 'pump-7', publisher: 'nadia@example.org/x', from: 'pubsub.example.org' },
    });
    expect(event.replyTo).toBeUndefined();
  });
});
