import type { Element } from '../../src/link/library.ts';
import { createLibraryClient } from '../../src/link/library.ts';

/** Parses stanzas as they would stand in a stream, with the library's parser. Throws on markup that is not well formed. */
export function parseStanzas(text: string): Element[] {
  const { transports } = createLibraryClient({
    domain: 'd',
    username: 'u',
    resource: 'r',
    login: async () => undefined,
  });
  const tcp = transports.find(({ prototype }) => prototype.socketParameters('xmpp://host') !== undefined);
  const Parser = tcp!.prototype.Parser;
  const stanzas: Element[] = [];
  const parser = new Parser();
  const on: unknown = Reflect.get(parser, 'on');
  if (typeof on !== 'function') throw new Error('the parser has no events');
  on.call(parser, 'element', (element: Element) => stanzas.push(element));
  on.call(parser, 'error', (error: unknown) => {
    throw error;
  });
  parser.write(`<stream:stream xmlns="jabber:client" xmlns:stream="http://etherx.jabber.org/streams">${text}`);
  return stanzas;
}
