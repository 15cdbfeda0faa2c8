import type { Element } from '../../src/codec/stanza/element.ts';
import { guardedParser } from '../../src/link/stream-guard.ts';

/** Parses stanzas as they would stand in a stream. Throws on markup that is not well formed. */
export function parseStanzas(text: string): Element[] {
  const stanzas: Element[] = [];
  const parser = new (guardedParser({ depth: 64 }))();
  parser.on('element', (element: Element) => stanzas.push(element));
  parser.write(`<stream:stream xmlns="jabber:client" xmlns:stream="http://etherx.jabber.org/streams">${text}`);
  return stanzas;
}
