import { describe, expect, it } from 'vitest';
import { xml } from '../../src/codec/stanza/element.ts';
import { answerTo, isFrom } from '../../src/codec/stanza/iq.ts';
import { NS } from '../../src/codec/stanza/namespaces.ts';

const OWN = 'bridge@example.org/r1';
const iq = (type: string, ...children: ReturnType<typeof xml>[]) =>
  xml('iq', { type, id: 'q', from: 'alice@example.org/x' }, ...children);

describe('a question of others', () => {
  it('is answered when it is a ping', () => {
    expect(answerTo(iq('get', xml('ping', { xmlns: NS.ping })))?.toString()).toBe(
      '<iq id="q" to="alice@example.org/x" type="result"/>',
    );
  });

  it.each([
    ['an unknown one', iq('get', xml('query', { xmlns: 'urn:example:unknown' })), 'service-unavailable'],
    ['one without content', iq('get'), 'bad-request'],
    ['one with two', iq('set', xml('a'), xml('b')), 'bad-request'],
    ['one of no type', iq('ask', xml('a')), 'bad-request'],
  ])('is refused: %s', (_, question, condition) => {
    const error = answerTo(question)?.getChild('error');
    expect(error?.getChild(condition, NS.stanzaErrors)).toBeDefined();
  });

  it.each(['result', 'error'])('is none when it is a %s', (type) => {
    expect(answerTo(iq(type))).toBeUndefined();
  });
});

describe('an answer', () => {
  const from = (jid: string | undefined) => xml('iq', { type: 'result', ...(jid === undefined ? {} : { from: jid }) });

  it.each([
    ['room@service/nick', 'room@service/nick', true],
    ['Room@Service/nick', 'room@service/nick', true],
    ['room@service/Nick', 'room@service/nick', false],
    ['room@service', 'room@service/nick', false],
    [undefined, 'room@service', false],
    ['mallory@example.org/x', 'room@service', false],
    [undefined, undefined, true],
    ['example.org', undefined, true],
    ['bridge@example.org', undefined, true],
    ['example.org', 'bridge@example.org', true],
    ['mallory@example.org', undefined, false],
    ['bridge@example.org/other', undefined, false],
  ])('from %s to a question for %s counts: %s', (sender, to, counts) => {
    expect(isFrom(from(sender), to, OWN)).toBe(counts);
  });
});
