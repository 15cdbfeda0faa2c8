import type { TlsOptions } from '@magpie/adapter-kit';
import { AuthFailed, NotConnected } from '@magpie/contract';
import createCaller, { type IQCaller } from '@xmpp/iq/caller.js';
import createMiddleware, { type Entity } from '@xmpp/middleware';
import bindResource from '@xmpp/resource-binding';
import authenticateBySasl from '@xmpp/sasl';
import createFeatures from '@xmpp/stream-features';
import { attribute, childText, type Element, isStanza, xml } from '../codec/stanza/element.ts';
import { NS } from '../codec/stanza/namespaces.ts';
import { saslError, streamError } from '../errors.ts';
import { dial, type Endpoint, upgrade } from './dial.ts';
import { Login } from './login/sasl.ts';
import { expectElement, type Phase } from './phases.ts';
import { type StreamEvents, XmlStream } from './stream.ts';
import type { StreamLimits } from './stream-guard.ts';

/** RFC 6120 §13.12, bytes. */
const LEAST_STANZA = 10_000;

/** What one attempt to log in needs. */
export interface LoginOptions {
  readonly endpoints: readonly Endpoint[];
  readonly domain: string;
  readonly username: string;
  readonly password: string;
  readonly resource: string;
  readonly tls: TlsOptions;
  /** Whether a link without TLS is refused before anything of the login is sent. */
  readonly tlsRequired: boolean;
  readonly limits: StreamLimits;
}

/** Callbacks of a client's stream, which also decide about its session (XEP-0198). */
export interface ClientStreamEvents extends StreamEvents {
  /** Told once logged in how large a stanza the server takes (XEP-0478), bytes; undefined when it does not say. */
  limits(largestStanza: number | undefined): void;
  /** Asked once logged in, before a resource is bound: a `<resume/>` to try first, if there is a session to resume. */
  resumption(): Element | undefined;
  /** A resource is bound: the session is new. Returns an `<enable/>` to send; without one the session begins now. */
  bound(jid: string, managed: boolean): Element | undefined;
  /** Handles an element of stream management that is allowed in this phase. Returns the next phase. */
  management(element: Element, phase: Phase): Phase;
}

/**
 * A client's stream (RFC 6120), from the first byte to the end: STARTTLS, login, resource. Composed of the parts of
 * `@xmpp/client`, behind our own guards; `phases.ts` defines what may arrive when. One per attempt.
 */
export class ClientStream extends XmlStream {
  readonly #options: LoginOptions;
  readonly #events: ClientStreamEvents;
  readonly #login: Login;
  readonly #signal: AbortSignal;
  readonly #caller: IQCaller<Entity>;
  #phase: Phase = 'opening';
  /** The id of our request for a resource. */
  #asked: string | undefined;
  #authenticated = false;
  #managed = false;
  /** Continues with resource binding after a refused resumption. */
  #bind: () => void = () => undefined;

  private constructor(options: LoginOptions, events: ClientStreamEvents, signal: AbortSignal) {
    super(NS.client, options.domain, options.limits, events);
    this.#options = options;
    this.#events = events;
    this.#login = new Login(options.username, options.password);
    this.#signal = signal;
    this.#caller = this.#compose();
  }

  /** Dials and starts the negotiation; results are reported through `events`. The signal covers the negotiation. */
  static async open(options: LoginOptions, events: ClientStreamEvents, signal: AbortSignal): Promise<ClientStream> {
    const socket = await dial(options.endpoints, options.tls, signal);
    const stream = new ClientStream(options, events, signal);
    stream.attach(socket);
    await stream.open();
    return stream;
  }

  /** The order of the features matters: the first one that is offered and needed handles them. */
  #compose(): IQCaller<Entity> {
    const middleware = createMiddleware({ entity: this });
    const features = createFeatures({ middleware });
    const caller = createCaller({ middleware, entity: this });
    features.use('starttls', NS.tls, (_, next) => (this.isSecure() ? next() : this.#requestTls()));
    authenticateBySasl({ streamFeatures: features, saslFactory: this.#login.factory }, (callback, offered) => {
      // The published types lack the parameter for the chosen mechanism. Its credentials are in the factory.
      const authenticate: (credentials: { username: string; password: string }, mechanism: string) => Promise<void> =
        callback;
      return authenticate({ username: '', password: '' }, this.#login.choose(offered, this.isSecure()));
    });
    features.use('sm', NS.streamManagement, (_, next) => this.#offerManagement(next));
    bindResource({ iqCaller: caller, streamFeatures: features }, this.#options.resource);
    this.on('open', () => {
      this.#phase = 'features';
    });
    this.on('online', (jid) => this.#bound(jid.toString()));
    return caller;
  }

  override open(): Promise<Element> {
    this.#phase = 'opening';
    return super.open();
  }

  override async send(element: Element): Promise<void> {
    if (this.#phase === 'bind') this.#asked = attribute(element, 'id');
    this.put(element);
  }

  /** Only what belongs to the login reaches the library; stanzas never do. */
  protected override take(element: Element): void {
    expectElement(this.#phase, element, this.#asked);
    if (!isStanza(element, NS.client)) this.#negotiation(element);
    else if (this.#phase !== 'bind') this.#events.stanza(element);
    else {
      // Stanzas for the new resource may be read in this turn, before the library reports the binding.
      this.#phase = 'bound';
      this.toLibrary(element);
    }
  }

  #negotiation(element: Element): void {
    const handlers: Readonly<Record<string, () => void>> = {
      [`${NS.stream} error`]: () => this.fail(streamError(element)),
      [`${NS.stream} features`]: () => this.#negotiate(element),
      [`${NS.tls} proceed`]: () => this.#startTls(),
      [`${NS.tls} failure`]: () => this.fail(new NotConnected('the server refused to start TLS')),
      [`${NS.sasl} challenge`]: () => this.toLibrary(element),
      [`${NS.sasl} failure`]: () => this.fail(saslError(element)),
      [`${NS.sasl} success`]: () => this.#loggedIn(element),
    };
    const manage = (): void => {
      this.#phase = this.#events.management(element, this.#phase);
      if (this.#phase === 'bind') this.#bind();
    };
    (handlers[`${element.getNS() ?? ''} ${element.getName()}`] ?? manage)();
  }

  /** Refuses at once what the library would detect later or never. */
  #negotiate(features: Element): void {
    const clear = !this.isSecure();
    const startTls = features.getChild('starttls', NS.tls) !== undefined;
    if (clear && !startTls && this.#options.tlsRequired) {
      throw new AuthFailed(
        'the server offers no STARTTLS and TLS is required, so nothing of the login was sent: use an xmpps:// url, or allow a clear link with tls: { required: false }',
      );
    }
    if (!(clear && startTls) && !this.#authenticated) {
      const mechanisms = features.getChild('mechanisms', NS.sasl)?.getChildren('mechanism') ?? [];
      const offered = mechanisms.map((mechanism) => mechanism.getText());
      this.#login.choose(offered, this.isSecure());
    }
    if (this.#authenticated && !features.getChild('bind', NS.bind))
      throw new NotConnected('the server offers no resource binding after the login');
    if (this.#authenticated) this.#events.limits(largestStanza(features));
    this.#phase = this.#authenticated ? 'bind' : 'sasl';
    this.toLibrary(features);
  }

  async #requestTls(): Promise<void> {
    this.#phase = 'tls';
    this.put(xml('starttls', { xmlns: NS.tls }));
  }

  /** RFC 6120 §5.4.3.3: a new stream on the encrypted socket. What came after `<proceed/>` in clear is dropped with the parser. */
  #startTls(): void {
    const socket = this.detach();
    if (!socket) return;
    upgrade(socket, this.#options.tls, this.#signal)
      .then((secure) => {
        if (this.ended) return void secure.destroy();
        this.attach(secure);
        return this.open();
      })
      .catch((error: unknown) => {
        socket.destroy();
        this.fail(error);
      });
  }

  /** A new stream follows (RFC 6120 §6.4.6): the rest of the old one is ignored. */
  #loggedIn(success: Element): void {
    this.#login.verify(Buffer.from(success.getText(), 'base64').toString('utf8'));
    this.#authenticated = true;
    this.#phase = 'opening';
    this.toLibrary(success);
  }

  /** Tries to resume before a resource is bound (XEP-0198 §5). */
  async #offerManagement(next: () => Promise<unknown>): Promise<unknown> {
    if (!this.#authenticated) return next();
    this.#managed = true;
    const resumption = this.#events.resumption();
    if (!resumption) return next();
    this.#phase = 'resume';
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#bind = resolve;
    this.put(resumption);
    await promise;
    return next();
  }

  #bound(jid: string): void {
    if (this.ended) return;
    this.contain(() => {
      const enable = this.#events.bound(jid, this.#managed);
      this.#phase = enable ? 'enable' : 'unmanaged';
      if (enable) this.put(enable);
    });
  }

  /** Ends the library's timers for answers that can no longer arrive. */
  protected override over(): void {
    for (const { reject } of this.#caller.handlers.values()) reject(new NotConnected('the link has ended'));
  }
}

/** XEP-0478 §3.1. What is no number, or less than every server has to take (RFC 6120 §13.12), is no limit. */
function largestStanza(features: Element): number | undefined {
  const limits = features.getChild('limits', NS.limits);
  const bytes = Number((limits && childText(limits, 'max-bytes')) ?? Number.NaN);
  return Number.isSafeInteger(bytes) && bytes >= LEAST_STANZA ? bytes : undefined;
}
