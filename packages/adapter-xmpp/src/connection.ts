import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import {
  Aborted,
  type AdapterContext,
  ConfigInvalid,
  type Connection,
  NotConnected,
  type OutgoingEvent,
  type SendReceipt,
  type SourceRequest,
  type TargetRequest,
  TooLarge,
  throwIfAborted,
  Unknown,
} from '@magpie/contract';
import { maxBodyBytes, type XmppConfig } from './config.ts';
import { originId } from './decode.ts';
import { findEndpoints } from './dial.ts';
import { type Destination, encodeMessage, safeId } from './encode.ts';
import { stanzaError } from './errors.ts';
import { createIntake, type Intake } from './intake.ts';
import { bareJid, formatJid, normalJid, splitJid } from './jid.ts';
import { attribute, type Element, xml } from './library.ts';
import { NS } from './namespaces.ts';
import { receivedEvent, type Surroundings } from './received.ts';
import { announces } from './room.ts';
import { createRooms, type Rooms } from './rooms.ts';
import { createSends, type Sends } from './sends.ts';
import {
  freshState,
  type Incoming,
  openSession,
  type ResumableState,
  type Session,
  type SessionOptions,
} from './session.ts';

/** Longest time for one attempt to log in, ms; the contract allows 30 s. */
const LOGIN_MS = 25_000;
/** Longest time for taking up a lost session only to end it, ms. */
const RECLAIM_MS = 3_000;
/** Pauses between two looks at whether the gateway has settled what an old link brought, before that is asked for again. */
const SETTLE_MS = 2_000;

interface State {
  readonly config: XmppConfig;
  readonly context: AdapterContext;
  /** The same for every login, so that a new session replaces what is left of the old one. */
  readonly resource: string;
  readonly kept: ResumableState;
  readonly sends: Sends;
  readonly intake: Intake;
  readonly rooms: Rooms;
  session: Session | undefined;
  /** The supervisor takes us for connected and is to hear of a loss. */
  connected: boolean;
  accountStampsIds: boolean;
  lastPing: number;
  /** Ends the attempt to connect in progress. */
  attempt: AbortController;
}

/** Makes a connection. No I/O. */
export function createConnection(config: XmppConfig, context: AdapterContext): Connection {
  const state = createState(config, context);
  return {
    connect: (signal) => connect(state, signal),
    receive: (sources, sink) => receive(state, sources, () => state.intake.open(sources, sink)),
    send: (event, target, signal) => send(state, event, target, signal),
    probe: (signal) => probe(state, signal),
    async quiesce() {
      state.intake.quiesce();
      // With a negative priority the server keeps one-to-one messages for later (RFC 6121 §8.5.2).
      if (state.session) announce(state.session, false);
    },
    close: (signal) => close(state, signal),
  };
}

function createState(config: XmppConfig, context: AdapterContext): State {
  const sends = createSends(context.clock);
  const unavailable = (reason: string): void =>
    state.session?.drop(new NotConnected(`the gateway cannot store messages now (${reason}): the server keeps them`));
  const state: State = {
    config,
    context,
    // Random per process: a restarted gateway must not fight its own ghost for a resource.
    resource: config.resource ?? `${context.gatewayId}-${randomBytes(4).toString('hex')}`,
    kept: freshState(),
    sends,
    intake: createIntake(context, unavailable),
    rooms: createRooms({
      config,
      context,
      session: () => state.session,
      left: (room, reason) => sends.settleAll(() => new Unknown(`${reason} before it echoed the message`), room),
    }),
    session: undefined,
    connected: false,
    accountStampsIds: false,
    lastPing: 0,
    attempt: new AbortController(),
  };
  return state;
}

async function connect(state: State, signal: AbortSignal): Promise<void> {
  throwIfAborted(signal);
  state.attempt = new AbortController();
  state.intake.wake();
  const stop = AbortSignal.any([signal, state.attempt.signal]);
  try {
    const session = await login(state, AbortSignal.any([stop, AbortSignal.timeout(LOGIN_MS)]));
    state.session = session;
    throwIfAborted(stop);
    await established(state, session);
    if (state.session !== session) throw new NotConnected('the link was lost while connecting');
    state.connected = true;
  } catch (error) {
    await abandon(state);
    if (stop.aborted) throw new Aborted('cancelled while connecting', { cause: stop.reason });
    throw error;
  }
}

async function login(state: State, signal: AbortSignal): Promise<Session> {
  const options = await sessionOptions(state);
  await settled(state, signal);
  return openSession(options, state.kept, sessionEvents(state), signal);
}

/** Leaves nothing of a failed attempt behind. */
async function abandon(state: State): Promise<void> {
  const { session } = state;
  forgetSession(state, 'the attempt to connect failed');
  await session?.close(AbortSignal.abort());
}

async function close(state: State, signal: AbortSignal): Promise<void> {
  state.attempt.abort();
  const session = state.session ?? (await reclaim(state, signal));
  forgetSession(state, 'the connection was closed');
  await session?.close(signal);
}

/**
 * After a lost link the server still holds our session and what it had for us. Only a goodbye makes it release that for
 * the next login at once, so the session is taken up once more. Undefined when there is none, or it cannot be.
 */
async function reclaim(state: State, signal: AbortSignal): Promise<Session | undefined> {
  if (state.kept.id === undefined || signal.aborted) return undefined;
  state.intake.quiesce();
  try {
    return await login(state, AbortSignal.any([signal, AbortSignal.timeout(RECLAIM_MS)]));
  } catch (error) {
    state.context.logger.debug({ error: String(error) }, 'the old session is left to expire at the server');
    return undefined;
  }
}

/** What the old link brought and the gateway has not settled would be delivered twice: a moment usually settles it. */
async function settled({ kept, context }: State, signal: AbortSignal): Promise<void> {
  const deadline = context.clock.monotonic() + SETTLE_MS;
  while (
    kept.id !== undefined &&
    kept.inbound.outstanding() > 0 &&
    context.clock.monotonic() < deadline &&
    !signal.aborted
  ) {
    await new Promise<void>((resolve) => void context.clock.timeout(20, resolve));
  }
}

async function established(state: State, session: Session): Promise<void> {
  const { context, config } = state;
  state.lastPing = context.clock.monotonic();
  if (!session.resumed) state.rooms.reset();
  if (!session.managed)
    context.logger.warn({}, 'the server has no stream management (XEP-0198): received messages are at most once');
  context.detail('session', session.resumed ? 'resumed' : `new as ${session.jid}`);
  if (session.resumed) return;
  const account = await session.request('get', xml('query', { xmlns: NS.discoInfo }), normalJid(config.jid));
  state.accountStampsIds = announces(account, NS.stanzaId);
}

async function sessionOptions({ config, context, resource }: State): Promise<SessionOptions> {
  const { local, domain } = splitJid(config.jid);
  const { ca, serverName, required } = config.tls;
  return {
    endpoints: await findEndpoints(config.url, domain),
    domain,
    username: local,
    password: config.password.reveal(),
    resource,
    tls: { serverName: serverName ?? domain, ...(ca === undefined ? {} : { ca: await readAuthorities(ca) }) },
    tlsRequired: required,
    limits: { stanzaBytes: config.maxStanzaBytes * 4, depth: config.maxDepth },
    clock: context.clock,
    window: config.receiveWindow,
    timeout: config.timeout,
  };
}

async function readAuthorities(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new ConfigInvalid(
      `cannot read the authorities in tls.ca: ${String(error)}`,
      { path: '/tls/ca' },
      { cause: error },
    );
  }
}

function sessionEvents(state: State): Parameters<typeof openSession>[2] {
  return {
    stanza: (incoming) => stanza(state, incoming),
    readDone: () => state.intake.flush(),
    lost: (error) => {
      const established = state.connected;
      forgetSession(state, error.message);
      if (established) state.context.lost(error);
    },
  };
}

function forgetSession(state: State, reason: string): void {
  state.session = undefined;
  state.connected = false;
  state.intake.hold();
  state.context.detail('session', undefined);
  state.sends.settleAll(() => new Unknown(`the link was lost before the confirmation: ${reason}`));
}

async function receive(state: State, sources: readonly SourceRequest[], open: () => void): Promise<void> {
  const { session } = state;
  if (!session) throw new NotConnected('the link is down');
  open();
  announce(
    session,
    sources.some(({ pattern }) => pattern.scheme === 'jid'),
  );
  await state.rooms.want(sources.map(({ pattern }) => pattern));
}

/** Presence makes the server deliver one-to-one messages to us; a negative priority makes it keep them. */
const announce = (session: Session, receiving: boolean): void =>
  session.post(xml('presence', {}, xml('priority', {}, receiving ? '1' : '-1')));

function stanza(state: State, incoming: Incoming): void {
  const element = incoming.stanza;
  if (element.name === 'presence') {
    state.rooms.presence(element);
    return incoming.finish();
  }
  if (confirms(state, element)) return incoming.finish();
  state.intake.take(incoming, (taken) => receivedEvent(taken, surroundings(state)));
}

const surroundings = ({ config, context, accountStampsIds, rooms }: State): Surroundings => ({
  clock: context.clock,
  account: normalJid(config.jid),
  accountStampsIds,
  room: (jid) => rooms.get(jid),
});

/** Whether a message is about one of ours: the room's echo of it, or its refusal. Then it is no event. */
function confirms({ sends, rooms }: State, message: Element): boolean {
  const from = attribute(message, 'from') ?? '';
  const place = bareJid(from);
  const type = attribute(message, 'type');
  const id = (type === 'error' ? undefined : originId(message)) ?? attribute(message, 'id') ?? '';
  const room = rooms.get(place);
  if (type === 'error') {
    const error = stanzaError(message);
    if (room && error instanceof NotConnected) room.expelled('the room has lost us');
    return sends.settle(id, place, error);
  }
  if (type !== 'groupchat' || from !== room?.occupantJid || !sends.knows(id, place)) return false;
  sends.settle(id, place);
  return true;
}

function send(
  state: State,
  event: OutgoingEvent,
  { address }: TargetRequest,
  signal: AbortSignal,
): Promise<SendReceipt> {
  const [local = '', domain = '', resource] = address.segments;
  const to = normalJid(formatJid({ local, domain, ...(resource === undefined ? {} : { resource }) }));
  return address.scheme === 'room' ? sendToRoom(state, event, to, signal) : sendToJid(state, event, to, signal);
}

async function sendToRoom(state: State, event: OutgoingEvent, to: string, signal: AbortSignal): Promise<SendReceipt> {
  throwIfAborted(signal);
  const message = sizedMessage(state, event, { to, type: 'groupchat' });
  liveSession(state);
  if (!state.rooms.get(to)?.joined) await state.rooms.enter(to);
  const session = liveSession(state);
  const echo = state.sends.wait(safeId(event.id), to, state.config.timeout, signal);
  session.post(message);
  await echo;
  return { confirmedBy: 'echo' };
}

async function sendToJid(state: State, event: OutgoingEvent, to: string, signal: AbortSignal): Promise<SendReceipt> {
  throwIfAborted(signal);
  const message = sizedMessage(state, event, { to, type: 'chat' });
  const session = liveSession(state);
  const id = safeId(event.id);
  if (state.kept.outbound.confirmed(id)) return { confirmedBy: 'stream-ack' };
  const place = bareJid(to);
  const outcome = state.sends.wait(id, place, 0, signal);
  session.deliver(message).then(
    () => state.sends.settle(id, place),
    (error: unknown) =>
      state.sends.settle(id, place, error instanceof Unknown ? error : new NotConnected(String(error))),
  );
  await outcome;
  return { confirmedBy: session.managed ? 'stream-ack' : 'server-answer' };
}

function liveSession({ session }: State): Session {
  if (!session) throw new NotConnected('the link is down');
  return session;
}

/** The stanza, unless it is larger than the server permits: that would cost the whole stream. */
function sizedMessage({ config }: State, event: OutgoingEvent, destination: Destination): Element {
  const most = maxBodyBytes(config);
  const advice = 'send less, or raise maxStanzaBytes if the server permits';
  if (event.body.length > most) throw new TooLarge(`a body of ${event.body.length} bytes, more than ${most}: ${advice}`);
  const message = encodeMessage(event, destination);
  const bytes = Buffer.byteLength(message.toString());
  if (bytes <= config.maxStanzaBytes) return message;
  throw new TooLarge(`a stanza of ${bytes} bytes, more than maxStanzaBytes (${config.maxStanzaBytes}): ${advice}`);
}

async function probe(state: State, signal: AbortSignal): Promise<void> {
  throwIfAborted(signal);
  const session = liveSession(state);
  // While reading is stopped no answer can be read; what was received is the proof of life.
  if (session.paused) return;
  await session.request('get', xml('ping', { xmlns: NS.ping }), splitJid(state.config.jid).domain, signal);
  const now = state.context.clock.monotonic();
  if (now - state.lastPing < state.config.ping) return;
  state.lastPing = now;
  await state.rooms.ping(signal);
}
