import type { Socket } from 'node:net';
import { AuthFailed, errorMessage, MagpieError, NotConnected } from '@magpie/contract';
import { NS } from '../codec/namespaces.ts';
import { linkError, saslError, streamError } from '../errors.ts';
import { expectElement, isStanza, type Phase } from '../phases.ts';
import { dial, type Endpoint, type TlsSettings, upgrade } from './dial.ts';
import { childElements, createLibraryClient, type Element, type LibraryClient, xml } from './library.ts';
import { createLogin, type Login } from './sasl.ts';
import {
  createStreamGuard,
  guardedParser,
  type StreamGuard,
  type StreamLimits,
  StreamViolation,
} from './stream-guard.ts';

/** What one attempt to log in needs. */
export interface LinkOptions {
  readonly endpoints: readonly Endpoint[];
  readonly domain: string;
  readonly username: string;
  readonly password: string;
  readonly resource: string;
  readonly tls: TlsSettings;
  /** Whether a link without TLS is refused before anything of the login is sent. */
  readonly tlsRequired: boolean;
  readonly limits: StreamLimits;
}

/** Who hears about the link. */
export interface LinkEvents {
  /** Asked once logged in, before a resource is bound: a `<resume/>` to try first, when there is a session to resume. */
  resumption(): Element | undefined;
  /** A resource is bound: the session is new. `managed`: the server offers stream management. */
  bound(jid: string, managed: boolean): void;
  /** An element of stream management, which the library never sees. */
  management(element: Element): void;
  /** A message, presence or iq. The library sees an iq only when it is given back by `toLibrary`. */
  stanza(element: Element): void;
  /** The library answers an iq: the stanza is to be counted and written like every other. */
  libraryStanza(element: Element): void;
  /** All complete elements of one read from the socket were handed over. */
  readDone(): void;
  /** The link is over, for this reason. Called once; nothing else is called afterwards. */
  failed(error: MagpieError): void;
}

/** A link to the server: TCP, TLS and login by the library, behind our own guards. One per attempt. */
export interface Link {
  /** Writes an element. Rejects when the link is over. */
  write(element: Element): Promise<void>;
  /** Gives a stanza to the library: it answers iq requests and matches iq results. */
  toLibrary(element: Element): void;
  /** Goes on without resumption: binds a resource. */
  bind(): void;
  /** What we have just sent, or been answered, changes what the server may send from now on. */
  enter(phase: Phase): void;
  pause(): void;
  resume(): void;
  /** Ends the link with this reason, at once. */
  fail(error: MagpieError): void;
  /** Closes the stream politely; resolves when the server has closed the socket, or when the signal fires. */
  end(signal: AbortSignal): Promise<void>;
}

interface LinkState {
  readonly client: LibraryClient;
  /** The library's own `send`; what the library itself sends once online is diverted to `libraryStanza`. */
  readonly send: LibraryClient['send'];
  readonly options: LinkOptions;
  readonly events: LinkEvents;
  readonly login: Login;
  readonly signal: AbortSignal;
  guard: StreamGuard;
  phase: Phase;
  /** Features held back while a resumption is tried. */
  held: Element | undefined;
  authenticated: boolean;
  /** A resource is bound, or the session is resumed. */
  bound: boolean;
  managed: boolean;
  ended: boolean;
  onElement(element: Element): void;
}

/** Dials and starts to negotiate; everything further comes through `events`. The signal covers the negotiation. */
export async function openLink(options: LinkOptions, events: LinkEvents, signal: AbortSignal): Promise<Link> {
  const state = createState(options, events, signal);
  const { client } = state;
  const socket = await dial(options.endpoints, options.tls, signal);
  client.Transport = client.transports.find(
    ({ prototype }) => prototype.socketParameters('xmpp://host') !== undefined,
  )!;
  client.Parser = guardedParser(client.Transport.prototype.Parser, options.limits);
  attach(state, socket);
  client._status('connect');
  // A refused stream also arrives as an error of the client, which ends the link.
  client.open({ domain: options.domain }).catch((error: unknown) => fail(state, error));
  return {
    write: (element) => write(state, element),
    toLibrary: (element) => state.onElement(element),
    bind: () => releaseFeatures(state),
    enter: (phase) => {
      state.phase = phase;
    },
    pause: () => void client.socket?.pause(),
    resume: () => void client.socket?.resume(),
    fail: (error) => fail(state, error),
    end: (endSignal) => end(state, endSignal),
  };
}

function createState(options: LinkOptions, events: LinkEvents, signal: AbortSignal): LinkState {
  const login = createLogin(options.username, options.password);
  const { domain, username, resource, limits } = options;
  const client = createLibraryClient({
    domain,
    username,
    resource,
    login: (authenticate, offered) => authenticate({}, login.choose(offered, client.isSecure())),
  });
  client.timeout = 15_000;
  client.saslFactory._mechs.splice(0, Number.POSITIVE_INFINITY, ...login.mechanisms);
  const original = client._onElement.bind(client);
  const guard = createStreamGuard({ stanzaBytes: limits.stanzaBytes });
  const state: LinkState = {
    client,
    send: client.send.bind(client),
    options,
    events,
    login,
    signal,
    guard,
    phase: 'features',
    held: undefined,
    authenticated: false,
    bound: false,
    managed: false,
    ended: false,
    onElement: original,
  };
  client.send = async (element) => {
    const counted = state.authenticated && state.bound && isStanza(element);
    if (counted) events.libraryStanza(element);
    else await state.send(element);
  };
  client._onData = (data) => read(state, data);
  client._onElement = (element) => contain(state, () => route(state, element));
  client.on('error', (error) => fail(state, error));
  client.on('close', () => fail(state, new NotConnected('the server closed the stream')));
  client.on('disconnect', () => fail(state, new NotConnected('the link was cut')));
  client.on('online', () => {
    state.bound = true;
    events.bound(client.jid?.toString() ?? '', state.managed);
  });
  return state;
}

function attach(state: LinkState, socket: Socket): void {
  state.guard = createStreamGuard({ stanzaBytes: state.options.limits.stanzaBytes });
  state.client._detachSocket();
  state.client._attachSocket(socket);
}

/** Takes bytes from the socket. Nothing in them may throw into the socket's event handler: that would end the process. */
function read(state: LinkState, data: Buffer): void {
  if (state.ended) return;
  contain(state, () => state.client.parser?.write(state.guard.decode(data)));
  if (!state.ended) state.events.readDone();
}

function contain(state: LinkState, action: () => void): void {
  try {
    action();
  } catch (error) {
    if (error instanceof MagpieError) fail(state, error);
    else
      fail(state, new StreamViolation(`the server sent what cannot be read: ${errorMessage(error)}`, { cause: error }));
  }
}

function route(state: LinkState, element: Element): void {
  if (state.ended) return;
  state.guard.stanzaDone();
  expectElement(state.phase, element);
  const { events } = state;
  const handlers: Readonly<Record<string, () => void>> = {
    [`${NS.stream} error`]: () => fail(state, streamError(element)),
    [`${NS.stream} features`]: () => negotiate(state, element),
    [`${NS.tls} proceed`]: () => startTls(state),
    [`${NS.tls} failure`]: () => fail(state, new NotConnected('the server refused to start TLS')),
    [`${NS.sasl} failure`]: () => fail(state, saslError(element)),
    [`${NS.sasl} success`]: () => loggedIn(state, element),
  };
  const namespace = element.getNS() ?? '';
  const handler = handlers[`${namespace} ${element.getName()}`];
  if (handler) handler();
  else if (namespace === NS.streamManagement) events.management(element);
  else if (!isStanza(element)) state.onElement(element);
  else {
    // Whoever reads on in this turn may have stanzas for the new resource before the library says that it is bound.
    if (state.phase === 'bind') state.phase = 'bound';
    events.stanza(element);
  }
}

/** Stream features, with our own STARTTLS and stream management taken out of the library's sight, and SASL2, which it is unproven with. */
function negotiate(state: LinkState, features: Element): void {
  const { client, options, events } = state;
  const startTlsOffered = features.getChild('starttls', NS.tls) !== undefined;
  if (!client.isSecure()) {
    if (startTlsOffered) {
      state.phase = 'tls';
      write(state, xml('starttls', { xmlns: NS.tls })).catch((error: unknown) => fail(state, error));
      return;
    }
    if (options.tlsRequired) {
      throw new AuthFailed(
        'the server offers no STARTTLS and TLS is required, so nothing of the login was sent: use an xmpps:// url, or allow a clear link with tls: { required: false }',
      );
    }
  }
  if (!state.authenticated) refuseUnknownMechanisms(state, features);
  state.phase = state.authenticated ? 'bind' : 'sasl';
  state.managed = features.getChild('sm', NS.streamManagement) !== undefined;
  features.children = childElements(features).filter(
    (child) => ![NS.tls, NS.sasl2, NS.streamManagement].some((namespace) => child.getNS() === namespace),
  );
  const resumption = state.authenticated && state.managed ? events.resumption() : undefined;
  if (!resumption) {
    state.onElement(features);
    return;
  }
  state.bound = true;
  state.phase = 'resume';
  state.held = features;
  write(state, resumption).catch((error: unknown) => fail(state, error));
}

/** Throws with the names of both sides when there is no common mechanism; the library's error would name none. */
function refuseUnknownMechanisms({ login, client }: LinkState, features: Element): void {
  const offered = features
    .getChild('mechanisms', NS.sasl)
    ?.getChildren('mechanism')
    .map((name) => name.getText());
  login.choose(offered ?? [], client.isSecure());
}

function releaseFeatures(state: LinkState): void {
  const { held } = state;
  state.held = undefined;
  state.bound = false;
  state.phase = 'bind';
  if (held) contain(state, () => state.onElement(held));
}

/** RFC 6120 §5.4.3.3: a new stream on the encrypted socket. What came after `<proceed/>` in clear is dropped with the parser. */
function startTls(state: LinkState): void {
  const { client, options, signal } = state;
  const socket = client.socket;
  client._detachParser();
  client._detachSocket();
  if (!socket) return;
  upgrade(socket, options.tls, signal)
    .then((secure) => {
      if (state.ended) return void secure.destroy();
      attach(state, secure);
      state.phase = 'features';
      return client.open({ domain: options.domain });
    })
    .catch((error: unknown) => fail(state, error, socket));
}

function loggedIn(state: LinkState, success: Element): void {
  state.login.verify(Buffer.from(success.getText(), 'base64').toString('utf8'));
  state.authenticated = true;
  state.phase = 'features';
  state.onElement(success);
}

async function write(state: LinkState, element: Element): Promise<void> {
  if (state.ended || !state.client.socket) throw new NotConnected('the link is down');
  await state.send(element);
}

function fail(state: LinkState, error: unknown, socket: Socket | null = state.client.socket): void {
  if (state.ended) return;
  state.ended = true;
  socket?.destroy();
  state.events.failed(linkError(error));
}

function end(state: LinkState, signal: AbortSignal): Promise<void> {
  const { client } = state;
  const { socket } = client;
  if (state.ended || !socket || socket.destroyed) return Promise.resolve();
  state.ended = true;
  const { promise, resolve } = Promise.withResolvers<void>();
  const cut = (): void => void socket.destroy();
  socket.once('close', () => resolve());
  signal.addEventListener('abort', cut, { once: true });
  if (signal.aborted) cut();
  else socket.resume().end('</stream:stream>');
  return promise.finally(() => signal.removeEventListener('abort', cut));
}
