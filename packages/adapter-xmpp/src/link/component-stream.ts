import { createHash } from 'node:crypto';
import type { TlsOptions } from '@magpie/adapter-kit';
import { AuthFailed, ConfigInvalid, Conflict, Rejected } from '@magpie/contract';
import { splitJid } from '../codec/jid.ts';
import { attribute, type Element, isStanza, xml } from '../codec/stanza/element.ts';
import { NS } from '../codec/stanza/namespaces.ts';
import { conditionOf, streamError } from '../errors.ts';
import type { ClientStreamEvents } from './client-stream.ts';
import { dial, type Endpoint } from './dial.ts';
import { XmlStream } from './stream.ts';
import { type StreamLimits, StreamViolation } from './stream-guard.ts';

/** What one attempt to link up as a component needs. */
export interface ComponentOptions {
  readonly endpoints: readonly Endpoint[];
  readonly domain: string;
  readonly secret: string;
  /** The address that stanzas come from which name none. */
  readonly jid: string;
  readonly tls: TlsOptions;
  readonly limits: StreamLimits;
}

/** Where the stream is: a header was sent, the handshake was sent, stanzas go. */
type Phase = 'opening' | 'handshake' | 'open';

/** Stream errors that mean something else to a component than to a client (XEP-0114 §3). */
const REFUSALS: Readonly<Record<string, (message: string) => Error>> = {
  // ejabberd answers an unknown domain and a wrong secret alike.
  'not-authorized': (message) =>
    new AuthFailed(`${message}: check secret and domain against the server's component of that name`),
  'host-unknown': (message) => new ConfigInvalid(`${message}: the server has no component of this domain`),
  conflict: (message) => new Conflict(`${message}: another link is this component already`),
};

/**
 * The stream of a component (XEP-0114): a secret instead of a login, no resource, no stream management, and a `from` on every
 * stanza. The server ends the whole stream over a foreign `from`, so none is ever written. One per attempt.
 */
export class ComponentStream extends XmlStream {
  readonly #options: ComponentOptions;
  readonly #events: ClientStreamEvents;
  #phase: Phase = 'opening';

  private constructor(options: ComponentOptions, events: ClientStreamEvents) {
    super(NS.component, options.domain, options.limits, events);
    this.#options = options;
    this.#events = events;
    this.on('open', (header) => this.contain(() => this.#handshake(header)));
  }

  /** Dials and starts; everything further comes through `events`. The signal covers the dialling. */
  static async open(
    options: ComponentOptions,
    events: ClientStreamEvents,
    signal: AbortSignal,
  ): Promise<ComponentStream> {
    const socket = await dial(options.endpoints, options.tls, signal);
    const stream = new ComponentStream(options, events);
    stream.attach(socket);
    await stream.open();
    return stream;
  }

  /** @throws Rejected when the stanza comes from an address that is not ours. */
  override put(element: Element): number {
    return super.put(this.#addressed(element));
  }

  override answer(element: Element): number {
    return super.answer(this.#addressed(element));
  }

  protected override take(element: Element): void {
    const name = `${element.getNS() ?? ''} ${element.getName()}`;
    if (name === `${NS.stream} error`) {
      this.fail(refusal(element));
      return;
    }
    if (this.#phase === 'handshake' && name === `${NS.component} handshake`) {
      this.#accepted();
      return;
    }
    if (this.#phase !== 'open' || !isStanza(element, NS.component)) throw outOfPlace(element, this.#phase);
    const to = attribute(element, 'to');
    if (to !== undefined && !this.#isOurs(to))
      throw new StreamViolation(`the server sent a stanza for "${to}", which is no address of ${this.#options.domain}`);
    this.#events.stanza(element);
  }

  protected override over(): void {}

  /** The server's header names the stream; the proof of the secret is bound to it (XEP-0114 §3.1). */
  #handshake(header: Element): void {
    const id = attribute(header, 'id');
    if (this.#phase !== 'opening' || id === undefined)
      throw new StreamViolation('the server opened a stream without an id, or a second one');
    this.#phase = 'handshake';
    const proof = createHash('sha1')
      .update(id + this.#options.secret)
      .digest('hex');
    super.put(xml('handshake', {}, proof));
  }

  #accepted(): void {
    this.#phase = 'open';
    this.#events.bound(this.#options.jid, false);
  }

  #addressed(element: Element): Element {
    if (!isStanza(element, NS.component)) return element;
    const from = attribute(element, 'from');
    if (from === undefined) element.attrs.from = this.#options.jid;
    else if (!this.#isOurs(from)) throw new Rejected(`"${from}" is no address of our domain ${this.#options.domain}`);
    return element;
  }

  /** Compared by exact text, as servers do. */
  #isOurs(jid: string): boolean {
    return splitJid(jid).domain === this.#options.domain;
  }
}

function outOfPlace(element: Element, phase: Phase): StreamViolation {
  return new StreamViolation(
    `the server sent <${element.getName()} xmlns='${element.getNS() ?? ''}'> in the phase "${phase}" of a component's stream, where it has no place`,
  );
}

function refusal(error: Element): Error {
  const text = error.getChild('text')?.getText();
  const condition = conditionOf(error);
  const message = `the server refused the component: ${condition}${text ? ` (${text})` : ''}`;
  return REFUSALS[condition]?.(message) ?? streamError(error);
}
