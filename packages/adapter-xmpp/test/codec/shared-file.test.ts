import { describe, expect, it } from 'vitest';
import { fileElements, fileOf } from '../../src/codec/shared-file.ts';
import { xml } from '../../src/codec/stanza/element.ts';
import { parseStanzas } from '../support/parse.ts';

const message = (children: string) => {
  const [stanza] = parseStanzas(`<message from='a@b'>${children}</message>`);
  if (!stanza) throw new Error('no message');
  return stanza;
};
const oob = (url: string): string => `<x xmlns='jabber:x:oob'><url>${url}</url></x>`;
const sharing = (file: string, target = 'https://x.org/1.png'): string =>
  `<file-sharing xmlns='urn:xmpp:sfs:0'><file xmlns='urn:xmpp:file:metadata:0'>${file}</file><sources><url-data xmlns='http://jabber.org/protocol/url-data' target='${target}'/></sources></file-sharing>`;

describe('the file that a message links to', () => {
  it.each([
    [oob('https://x.org/1.png'), { url: 'https://x.org/1.png' }],
    [
      sharing('<media-type>image/png</media-type><name>1.png</name><size>12</size>'),
      { url: 'https://x.org/1.png', mediaType: 'image/png', name: '1.png', size: 12 },
    ],
    [sharing('<size>-1</size><size>x</size><name/>'), { url: 'https://x.org/1.png' }],
    [sharing(`<name>${'n'.repeat(300)}</name><size>1e9</size>`), { url: 'https://x.org/1.png' }],
    [oob('http://127.0.0.1/'), { url: 'http://127.0.0.1/' }],
    [oob('file:///etc/passwd'), undefined],
    [oob('javascript:alert(1)'), undefined],
    [oob('xmpp:a@b'), undefined],
    [oob(''), undefined],
    [oob(`https://x.org/${'a'.repeat(3_000)}`), undefined],
    ["<x xmlns='jabber:x:oob'/>", undefined],
    ["<file-sharing xmlns='urn:xmpp:sfs:0'/>", undefined],
    ['<body>https://x.org/1.png</body>', undefined],
  ])('is read, whatever it says: %s', (children, expected) => {
    expect(fileOf(message(children))).toEqual(expected);
  });

  it('is the same when it comes back', () => {
    const file = { url: 'https://x.org/a%20"b\'.png?x=1&y=<2>', mediaType: 'image/png', size: 7, name: 'ü & <b>.png' };
    const stanza = xml('message', {}, ...fileElements(file)).toString();
    expect(fileOf(parseStanzas(stanza)[0] ?? xml('message'))).toEqual(file);
  });
});
