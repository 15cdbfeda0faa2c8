import { StringDecoder } from 'node:string_decoder';
import { NotConnected } from '@magpie/contract';
import { Parser } from '@xmpp/xml';

/** Limits on received data. The link is dropped over a larger stanza: such a peer is faulty or hostile. */
export interface StreamLimits {
  /** Bytes of one stanza (counted per read from the socket, so up to one read more is possible). */
  readonly stanzaBytes: number;
  /** Depth of elements below the stream; what is deeper is left out. */
  readonly depth: number;
}

/**
 * The stream violated a limit or a rule of XMPP; the message says which. Such a session is never resumed: it would fail
 * again.
 */
export class StreamViolation extends NotConnected {}

const CDATA = '<![CDATA[';

/** Turns the bytes of one socket into text for the parser, within limits. One per socket: a character may span two reads. */
export class StreamGuard {
  readonly #stanzaBytes: number;
  readonly #decoder = new StringDecoder('utf8');
  #pending = 0;
  #tail = '';

  /** @param stanzaBytes the largest stanza. */
  constructor(stanzaBytes: number) {
    this.#stanzaBytes = stanzaBytes;
  }

  /** Throws `StreamViolation` on a stanza that is too large and on markup that XMPP forbids (RFC 6120 §11.1). */
  decode(chunk: Buffer): string {
    this.#pending += chunk.length;
    if (this.#pending > this.#stanzaBytes + chunk.length)
      throw new StreamViolation(`the server sent a stanza of more than ${this.#stanzaBytes} bytes`);
    const text = this.#decoder.write(chunk);
    this.#tail = refuseMarkup(this.#tail + text);
    return text;
  }

  /** Called when a stanza is complete: resets the byte count. */
  stanzaDone(): void {
    this.#pending = 0;
  }
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

/**
 * The library's parser within limits. Every error is thrown: the library would answer it on an ended link. Elements nested too
 * deep are left out of their stanza: anybody can write one, the server delivers it, and a link that ended over it would receive
 * it again and again.
 */
export const guardedParser = ({ depth }: Pick<StreamLimits, 'depth'>): typeof Parser =>
  class extends Parser {
    #depth = 0;

    override onStartElement(name: string, attrs?: string | Record<string, unknown>): void {
      this.#depth += 1;
      if (this.#depth === 1 && name !== 'stream:stream')
        throw new StreamViolation(`the server began with <${name}>, expected <stream:stream>`);
      if (this.#isKept) super.onStartElement(name, attrs);
    }

    override onEndElement(name: string): void {
      const wasKept = this.#isKept;
      this.#depth -= 1;
      if (wasKept) super.onEndElement(name);
    }

    override onText(text: string): void {
      if (this.#isKept) super.onText(text);
    }

    get #isKept(): boolean {
      return this.#depth <= depth + 1;
    }

    override emit(event: string | symbol, ...args: unknown[]): boolean {
      if (event === 'error') throw args[0];
      return super.emit(event, ...args);
    }
  };
