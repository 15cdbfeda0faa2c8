import { randomUUID } from 'node:crypto';
import { Aborted, errorMessage, type MagpieError, NotConnected, Unknown } from '@magpie/contract';
import { NS } from '../codec/namespaces.ts';
import { linkError } from '../errors.ts';
import { attribute, type Element, xml } from '../link/library.ts';
import { openLink } from '../link/stream.ts';
import type { ResumableState, SessionEvents, SessionOptions, SessionState } from './session-state.ts';
import { bound, manage, over, report, resumption, transmit, unread, write } from './stream-management.ts';

/** An established session. */
export interface Session {
  /** Our full JID. */
  readonly jid: string;
  /** Whether an earlier session goes on: rooms are still joined, nothing was missed. */
  readonly resumed: boolean;
  /** Whether the server acknowledges stanzas (XEP-0198). */
  readonly managed: boolean;
  /** Reading is stopped because too much waits for the gateway. */
  readonly paused: boolean;
  /** Sends a stanza without waiting. A failure ends the link. */
  post(stanza: Element): void;
  /** Sends a stanza and resolves when the server has taken it. Rejects with `Unknown` when the link is lost before. */
  deliver(stanza: Element): Promise<void>;
  /** Sends an iq and resolves with the answer, a result or an error. Rejects with `NotConnected` on silence. */
  request(type: 'get' | 'set', child: Element, to?: string, signal?: AbortSignal): Promise<Element>;
  /** Drops the link with this reason; the session stays resumable. */
  drop(error: MagpieError): void;
  /** Says goodbye, which ends the session. With a signal that has fired it only cuts the link: the session stays resumable. */
  close(signal: AbortSignal): Promise<void>;
}

/** How many finished stanzas, or how much time, may pass before they are reported to the server unasked. */
const REPORT = { stanzas: 50, ms: 200 } as const;

/**
 * Logs in and resumes or starts a session. One attempt; the signal ends it. Rejects with a taxonomy error and leaves
 * nothing behind.
 */
export async function openSession(
  options: SessionOptions,
  kept: ResumableState,
  events: SessionEvents,
  signal: AbortSignal,
): Promise<Session> {
  const state = createState(options, kept, events);
  const abort = (): void => state.link?.fail(new NotConnected('the server did not finish the login in time'));
  signal.addEventListener('abort', abort, { once: true });
  try {
    state.link = await openLink(options, linkEvents(state), signal);
    if (signal.aborted) abort();
    await state.opened.promise;
  } catch (error) {
    throw linkError(error);
  } finally {
    signal.removeEventListener('abort', abort);
  }
  return createSession(state);
}

function createState(options: SessionOptions, kept: ResumableState, events: SessionEvents): SessionState {
  const opened = Promise.withResolvers<void>();
  opened.promise.catch(() => undefined); // Dialling may fail first; then nobody waits for this one.
  return {
    options,
    kept,
    events,
    requests: new Map(),
    opened,
    link: undefined,
    phase: 'negotiating',
    ended: undefined,
    resumed: false,
    counting: false,
    paused: false,
    asked: false,
    answered: false,
    askTimer: undefined,
    reported: 0,
    reportTimer: undefined,
  };
}

function linkEvents(state: SessionState): Parameters<typeof openLink>[1] {
  const { events, opened } = state;
  return {
    resumption: () => resumption(state),
    bound: (jid, managed) => bound(state, jid, managed),
    management: (element) => manage(state, element),
    stanza: (element) => receive(state, element),
    libraryStanza: (element) => transmit(state, element),
    readDone: () => {
      if (state.phase !== 'ready') return;
      events.readDone();
      throttle(state);
    },
    failed: (error) => {
      const established = state.phase === 'ready';
      over(state, error);
      if (established) events.lost(error);
      else opened.reject(error);
    },
  };
}

function receive(state: SessionState, stanza: Element): void {
  if (state.phase === 'negotiating' && !state.counting) {
    state.link?.toLibrary(stanza);
    return;
  }
  const { kept, events, options } = state;
  const { inbound } = kept;
  const finished = inbound.arrive();
  const repeated = kept.repeats > 0;
  if (repeated) kept.repeats -= 1;
  const finish = (): void => {
    finished();
    if (inbound !== kept.inbound || state.phase !== 'ready') return;
    throttle(state);
    if (!state.counting || inbound.handled() === state.reported) return;
    if (inbound.handled() - state.reported >= REPORT.stanzas) report(state);
    else state.reportTimer ??= options.clock.timeout(REPORT.ms, () => report(state));
  };
  if (stanza.name === 'iq') {
    finish();
    answer(state, stanza);
  } else events.stanza({ stanza, finish, repeated });
}

function answer(state: SessionState, iq: Element): void {
  const type = attribute(iq, 'type');
  const pending = type === 'result' || type === 'error' ? state.requests.get(attribute(iq, 'id') ?? '') : undefined;
  if (pending) pending.resolve(iq);
  else state.link?.toLibrary(iq);
}

/**
 * Stops reading while too much waits for the gateway, and goes on when half of it is settled. That is far beyond what the
 * gateway is given at a time: the confirmations of our own sends come on the same stream, and have to be read.
 */
function throttle(state: SessionState): void {
  const load = state.events.load();
  if (!state.paused && load >= 1) {
    state.paused = true;
    state.link?.pause();
  } else if (state.paused && load <= 0.5) {
    state.paused = false;
    state.link?.resume();
  }
}

function createSession(state: SessionState): Session {
  const { kept, options } = state;
  return {
    jid: kept.jid,
    resumed: state.resumed,
    managed: state.counting,
    get paused() {
      return state.paused;
    },
    post: (stanza) => send(state, stanza),
    deliver: (stanza) => deliver(state, stanza),
    request: (type, child, to, signal) =>
      request(state, xml('iq', { type, id: randomUUID(), ...(to ? { to } : {}) }, child), signal),
    drop: (error) => state.link?.fail(error),
    async close(signal) {
      if (signal.aborted) {
        if (unread(state)) kept.id = undefined;
        over(state, new NotConnected('the link was cut'));
        await state.link?.end(signal);
        return;
      }
      if (state.phase === 'ready') {
        if (state.counting) report(state);
        write(state, xml('presence', { type: 'unavailable' }));
      }
      over(state, new NotConnected('the connection was closed'));
      kept.id = undefined;
      await state.link?.end(AbortSignal.any([signal, AbortSignal.timeout(options.timeout)]));
    },
  };
}

function send(state: SessionState, stanza: Element, settle?: (error?: Unknown) => void): void {
  if (state.phase !== 'ready') throw new NotConnected(state.ended?.message ?? 'the link is down');
  transmit(state, stanza, settle);
}

async function deliver(state: SessionState, stanza: Element): Promise<void> {
  if (!state.counting) return deliverUnmanaged(state, stanza);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  send(state, stanza, (error) => (error ? reject(error) : resolve()));
  return promise;
}

/** Without XEP-0198 a ping answered by the same server proves that it has taken what came before (RFC 6120 §10.1). */
async function deliverUnmanaged(state: SessionState, stanza: Element): Promise<void> {
  send(state, stanza);
  try {
    await request(state, xml('iq', { type: 'get', id: randomUUID() }, xml('ping', { xmlns: NS.ping })));
  } catch (error) {
    throw new Unknown(`the server did not answer after the message: ${errorMessage(error)}`, { cause: error });
  }
}

/** Ids are random, so no other entity can guess an answer. */
async function request(state: SessionState, iq: Element, signal?: AbortSignal): Promise<Element> {
  const id = attribute(iq, 'id') ?? '';
  const { promise, resolve, reject } = Promise.withResolvers<Element>();
  state.requests.set(id, { resolve, reject });
  const cancel = state.options.clock.timeout(state.options.timeout, () => {
    reject(new NotConnected(`no answer within ${state.options.timeout} ms`));
  });
  const abort = (): void => reject(new Aborted('cancelled', { cause: signal?.reason }));
  signal?.addEventListener('abort', abort, { once: true });
  try {
    send(state, iq);
    if (signal?.aborted) abort();
    return await promise;
  } finally {
    cancel();
    signal?.removeEventListener('abort', abort);
    state.requests.delete(id);
  }
}
