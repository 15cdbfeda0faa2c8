import { describe, expect, it } from 'vitest';
import { classify, decodeMessage } from '../../src/codec/decode.ts';
import { encodeMessage } from '../../src/codec/encode.ts';
import { originOf } from '../../src/codec/origin.ts';
import type { Element } from '../../src/codec/stanza/element.ts';
import { textOf } from '../support/link.ts';
import { parseStanzas } from '../support/parse.ts';

const parse = (text: string): Element => parseStanzas(text)[0]!;
const message = (inner: string, attributes = ''): Element =>
  parse(`<message xmlns='jabber:client' from='nadia@example.org/x' type='chat' ${attributes}>${inner}</message>`);
const nowhere = { occupant: undefined, inRoom: false, stampedBy: undefined, delayed: undefined };
const read = (stanza: Element) => {
  const { body, contentType, subject } = decodeMessage(stanza);
  const { lang, texts } = originOf(stanza, nowhere);
  return { text: textOf({ body }), contentType, subject, lang, texts };
};

const GERMAN = "<body xml:lang='de'>Pumpe 7 ist heiss</body>";
const ENGLISH = "<body xml:lang='en'>pump 7 is hot</body>";

describe('a message in several languages', () => {
  it('is its text without a language of its own, and the others are in origin', () => {
    const { text, lang, texts } = read(message(`${GERMAN}<body>pumpe 7 est chaude</body>${ENGLISH}`, "xml:lang='fr'"));
    expect([text, lang]).toEqual(['pumpe 7 est chaude', 'fr']);
    expect(texts).toEqual([
      { lang: 'de', text: 'Pumpe 7 ist heiss' },
      { lang: 'en', text: 'pump 7 is hot' },
    ]);
  });

  it('is that in the language of the stanza, else the first', () => {
    expect(read(message(GERMAN + ENGLISH, "xml:lang='EN'"))).toMatchObject({ text: 'pump 7 is hot', lang: 'en' });
    expect(read(message(GERMAN + ENGLISH, "xml:lang='fr'"))).toMatchObject({ text: 'Pumpe 7 ist heiss', lang: 'de' });
    const subjects = "<subject xml:lang='de'>Pumpe</subject><subject>pump</subject>";
    expect(read(message(subjects + ENGLISH)).subject).toBe('pump');
  });

  it('shows no more others than fit, and no tag that is none', () => {
    const many = Array.from({ length: 30 }, (_, index) => `<body xml:lang='x-${index}'>t</body>`).join('');
    expect(read(message(`<body>t</body>${many}`)).texts).toHaveLength(16);
    const long = `<body xml:lang='de'>${'x'.repeat(65_537)}</body>`;
    expect(read(message(`<body>t</body>${long}`)).texts).toBeUndefined();
    expect(read(message('<body>t</body>', `xml:lang='${'x'.repeat(36)}'`)).lang).toBeUndefined();
  });
});

describe('what stands in for something else', () => {
  it('is the plain text of a formatted message (XEP-0071), wherever the markup stands', () => {
    const page =
      "<html xmlns='http://jabber.org/protocol/xhtml-im'><body xmlns='http://www.w3.org/1999/xhtml'><b>off</b></body></html>";
    expect(read(message(`${page}<body>on</body>`)).text).toBe('on');
    expect(classify(message(page))).toBe('nothing');
    const forged = "<body xmlns='http://www.w3.org/1999/xhtml'>off</body>";
    expect(read(message(`${forged}<body>on</body>`))).toMatchObject({ text: 'on', texts: undefined });
    expect(classify(message(forged))).toBe('nothing');
  });

  it('is the text beside an encrypted message (XEP-0384), which is marked; without a text it is nothing', () => {
    const encrypted = "<encrypted xmlns='eu.siacs.conversations.axolotl'><payload>AAAA</payload></encrypted>";
    const stanza = message(`<body>This message is encrypted</body>${encrypted}`);
    expect(read(stanza).text).toBe('This message is encrypted');
    expect(originOf(stanza, nowhere).encrypted).toBe(true);
    expect(classify(message(encrypted))).toBe('nothing');
  });
});

describe('a JSON container (XEP-0335)', () => {
  const json = (text: string): string => `<json xmlns='urn:xmpp:json:0'>${text}</json>`;

  it('is the body, digit by digit, and the text for people is in origin', () => {
    const { text, contentType, texts } = read(
      message(`<body>72 degrees</body>${json('{"t": 72.10000000000000000001}')}`),
    );
    expect([text, contentType]).toEqual(['{"t": 72.10000000000000000001}', 'application/json']);
    expect(texts).toEqual([{ text: '72 degrees' }]);
    expect(classify(message(json('7')))).toBe('content');
  });

  it('is nothing beside a text when it is not JSON, or too deep; alone it is kept', () => {
    for (const wrong of ['{"t":', '['.repeat(10_000) + ']'.repeat(10_000)])
      expect(read(message(`<body>72</body>${json(wrong)}`))).toMatchObject({
        text: '72',
        contentType: expect.stringContaining('text/plain'),
      });
    expect(read(message(json('{"t":')))).toMatchObject({ text: '{"t":', contentType: 'application/json' });
  });

  const sent = (body: string, contentType: string, jsonContainer = true): Element =>
    encodeMessage(
      {
        ...{ id: 'i', ref: 'r', delivery: 'd', headers: [], via: [], time: 0, redelivered: false },
        body: Buffer.from(body),
        contentType,
      },
      { to: 'nadia@example.org', type: 'chat', jsonContainer },
    );

  it('carries a JSON body where that is asked for, and comes back the same', () => {
    const stanza = sent('{"t":72.10000000000000000001}', 'application/vnd.plant+json');
    expect(stanza.toString()).toContain('<json xmlns="urn:xmpp:json:0">{"t":72.10000000000000000001}</json>');
    expect(stanza.getChild('body')).toBeUndefined();
    expect(read(parse(stanza.toString()))).toMatchObject({
      text: '{"t":72.10000000000000000001}',
      contentType: 'application/vnd.plant+json',
    });
  });

  it.each([
    ['{"t":72}', 'application/json', false],
    ['{"t":', 'application/json', true],
    ['72', 'text/plain', true],
  ])('carries nothing else: %s as %s', (body, contentType, wanted) => {
    const stanza = sent(body, contentType, wanted);
    expect(stanza.getChild('json')).toBeUndefined();
    expect(stanza.getChildText('body')).toBe(body);
  });
});
