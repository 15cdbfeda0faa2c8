import { readFile } from 'node:fs/promises';
import { Aborted, ConfigInvalid, NotConnected, throwIfAborted } from '@magpie/contract';
import { normalJid, splitJid } from './codec/jid.ts';
import { NS } from './codec/namespaces.ts';
import { type ConnectionState, forgetSession } from './connection-state.ts';
import { findEndpoints } from './link/dial.ts';
import { xml } from './link/library.ts';
import { takeStanza } from './receive/incoming.ts';
import { announces } from './rooms/room.ts';
import { openSession, type Session } from './session/session.ts';
import type { SessionEvents, SessionOptions } from './session/session-state.ts';

/** Longest time for one attempt to log in, ms; the contract allows 30 s. */
const LOGIN_MS = 25_000;
/** Longest time for taking up a lost session only to end it, ms. */
const RECLAIM_MS = 3_000;
/** Longest time to wait, before a session is resumed, for verdicts on what its old link brought, ms. */
const SETTLE_MS = 2_000;

/** One attempt to log in. Leaves nothing behind when it fails. */
export async function connect(state: ConnectionState, signal: AbortSignal): Promise<void> {
  throwIfAborted(signal);
  state.attempt = new AbortController();
  state.loss = undefined;
  state.intake.wake();
  const stop = AbortSignal.any([signal, state.attempt.signal]);
  try {
    const session = await login(state, AbortSignal.any([stop, AbortSignal.timeout(LOGIN_MS)]));
    state.session = session;
    throwIfAborted(stop);
    await established(state, session);
    if (state.session !== session) throw state.loss ?? new NotConnected('the link was lost while connecting');
    state.connected = true;
  } catch (error) {
    const { loss } = state;
    await abandon(state);
    if (loss) throw loss;
    if (stop.aborted) throw new Aborted('cancelled while connecting', { cause: stop.reason });
    throw error;
  }
}

async function login(state: ConnectionState, signal: AbortSignal): Promise<Session> {
  const options = await sessionOptions(state);
  await settled(state, signal);
  return openSession(options, state.kept, sessionEvents(state), signal);
}

/** Leaves nothing of a failed attempt behind. */
async function abandon(state: ConnectionState): Promise<void> {
  const { session } = state;
  forgetSession(state, 'the attempt to connect failed');
  await session?.close(AbortSignal.abort());
  state.kept.id = undefined;
}

/** Says goodbye in every state; cuts the link when the signal fires. When it has fired already, the next connect resumes the session. */
export async function close(state: ConnectionState, signal: AbortSignal): Promise<void> {
  state.attempt.abort();
  const session = state.session ?? (await reclaim(state, signal));
  forgetSession(state, 'the connection was closed');
  await session?.close(signal);
}

/**
 * After a lost link the server still holds our session and what it had for us. Only a goodbye makes it release that for
 * the next login at once, so the session is taken up once more. Undefined when there is none, or it cannot be.
 */
async function reclaim(state: ConnectionState, signal: AbortSignal): Promise<Session | undefined> {
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
async function settled({ kept, context, intake }: ConnectionState, signal: AbortSignal): Promise<void> {
  const deadline = context.clock.monotonic() + SETTLE_MS;
  while (kept.id !== undefined && intake.judging() > 0 && context.clock.monotonic() < deadline && !signal.aborted) {
    await new Promise<void>((resolve) => void context.clock.timeout(20, resolve));
  }
}

async function established(state: ConnectionState, session: Session): Promise<void> {
  const { context, config } = state;
  state.lastPing = context.clock.monotonic();
  if (!session.resumed) {
    state.rooms.reset();
    state.gap ||= state.receiving;
  }
  if (!session.managed)
    context.logger.warn({}, 'the server has no stream management (XEP-0198): received messages are at most once');
  context.detail('session', session.resumed ? 'resumed' : `new as ${session.jid}`);
  if (session.resumed) return;
  const account = await session.request('get', xml('query', { xmlns: NS.discoInfo }), normalJid(config.jid));
  state.accountStampsIds = announces(account, NS.stanzaId);
}

async function sessionOptions({ config, context, resource }: ConnectionState): Promise<SessionOptions> {
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

function sessionEvents(state: ConnectionState): SessionEvents {
  return {
    stanza: (incoming) => takeStanza(state, incoming),
    readDone: () => state.intake.flush(),
    load: () => state.intake.load(),
    lost: (error) => {
      const established = state.connected;
      forgetSession(state, error.message);
      state.loss = error;
      if (established) state.context.lost(error);
    },
  };
}
