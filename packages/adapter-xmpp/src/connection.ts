import { type AdapterContext, type Connection, type Sink, type SourceRequest, throwIfAborted } from '@magpie/contract';
import { normalJid, splitJid } from './codec/jid.ts';
import { NS } from './codec/namespaces.ts';
import type { XmppConfig } from './config.ts';
import { close, connect } from './connecting.ts';
import { type ConnectionState, createState, liveSession } from './connection-state.ts';
import { xml } from './link/library.ts';
import { possibleGap } from './possible-gap.ts';
import { send } from './send/sending.ts';
import type { Session } from './session/session.ts';

/** Makes a connection. No I/O. */
export function createConnection(config: XmppConfig, context: AdapterContext): Connection {
  const state = createState(config, context);
  return {
    connect: (signal) => connect(state, signal),
    receive: (sources, sink) => receive(state, sources, sink),
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

async function receive(state: ConnectionState, sources: readonly SourceRequest[], sink: Sink): Promise<void> {
  const session = liveSession(state);
  const { config, intake } = state;
  intake.open(sources, sink);
  state.receiving = sources.length > 0;
  if (state.gap) {
    const event = possibleGap(normalJid(config.jid));
    intake.notice(event, () => {
      state.gap = false;
    });
  }
  announce(
    session,
    sources.some(({ pattern }) => pattern.scheme === 'jid'),
  );
  await state.rooms.want(sources.map(({ pattern }) => pattern));
}

/** Presence makes the server deliver one-to-one messages to us; a negative priority makes it keep them. */
const announce = (session: Session, receiving: boolean): void =>
  session.post(xml('presence', {}, xml('priority', {}, receiving ? '1' : '-1')));

async function probe(state: ConnectionState, signal: AbortSignal): Promise<void> {
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
