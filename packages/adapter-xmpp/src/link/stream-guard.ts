import { StringDecoder } from 'node:string_decoder';
import { NotConnected } from '@magpie/contract';
import type { LibraryParser, ParserClass } from './library.ts';

/** Limits on what the server may send. Beyond them the link is dropped: a peer that exceeds them is broken or hostile. */
export interface StreamLimits {
  /** Bytes of one stanza (counted per read from the socket, so up to one read more may pass). */
  readonly stanzaBytes: number;
  /** Depth of elements below the stream. */
  readonly depth: number;
}

/** The stream broke a limit or a rule of XMPP; the message says which. Such a session is never resumed: it would break again. */
export class StreamViolation extends NotConnected {}

/** Turns the bytes of one socket into text for the parser, within limits. One per socket: a character may span two reads. */
export interface StreamGuard {
  /** Throws `StreamViolation` on a stanza that is too large and on markup that XMPP forbids (RFC 6120 §11.1). */
  decode(chunk: Buffer): string;
  /** A stanza is complete: the byte count starts again. */
  stanzaDone(): void;
}

const CDATA = '<![CDATA[';

/** The guard of one socket, with nothing read yet. */
export function createStreamGuard({ stanzaBytes }: Pick<StreamLimits, 'stanzaBytes'>): StreamGuard {
  const decoder = new StringDecoder('utf8');
  let pending = 0;
  let tail = '';
  return {
    decode(chunk) {
      pending += chunk.length;
      if (pending > stanzaBytes + chunk.length)
        throw new StreamViolation(`the server sent a stanza of more than ${stanzaBytes} bytes`);
      const text = decoder.write(chunk);
      tail = refuseMarkup(tail + text);
      return text;
    },
    stanzaDone() {
      pending = 0;
    },
  };
}

/** Refuses comments and document types; returns the part at the end that may become one with the next read. */
function refuseMarkup(text: string): string {
  for (let at = text.indexOf('<!'); at >= 0; at = text.indexOf('<!', at + 2)) {
    const markup = text.slice(at, at + CDATA.length);
    if (markup === CDATA) continue;
    if (CDATA.startsWith(markup)) return markup;
    throw new StreamViolation('the server sent a document type or a comment, which XMPP forbids');
  }
  return text.endsWith('<') ? '<' : '';
}

/** The library's parser with a limit on depth. */
export function guardedParser(Base: ParserClass, { depth }: Pick<StreamLimits, 'depth'>): ParserClass {
  return class extends Base implements LibraryParser {
    #depth = 0;

    override onStartElement(name: string, attrs: Record<string, string>): void {
      this.#depth += 1;
      if (this.#depth > depth + 1) throw new StreamViolation(`the server sent elements nested deeper than ${depth}`);
      super.onStartElement(name, attrs);
    }

    override onEndElement(name: string): void {
      this.#depth -= 1;
      super.onEndElement(name);
    }
  };
}
