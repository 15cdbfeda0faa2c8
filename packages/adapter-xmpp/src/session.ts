import { randomUUID } from 'node:crypto';
import { Aborted, type Clock, errorMessage, type MagpieError, NotConnected, Unknown } from '@magpie/contract';
import { linkError } from './errors.ts';
import { attribute, type Element, xml } from './library.ts';
import { type Link, type LinkOptions, openLink } from './link.ts';
import { NS } from './namespaces.ts';
import {
  createInboundCounter,
  createOutboundQueue,
  type InboundCounter,
  type OutboundQueue,
} from './stanza-counters.ts';
import { StreamViolation } from './stream-guard.ts';

/** What survives a lost link, so that the next attempt can resume the session (XEP-0198 §5). Owned by the connection. */
export interface ResumableState {
  /** The server's id of the session; undefined when there is nothing to resume. */
  id: string | undefined;
  jid: string;
  inbound: InboundCounter;
  outbound: OutboundQueue;
  /** Stanzas that arrived again after a resumption may be second deliveries: how many are still to come. */
  repeats: number;
}

export const freshState = (): ResumableState => ({
  id: undefined,
  jid: '',
  inbound: createInboundCounter(),
  outbound: createOutboundQueue(),
  repeats: 0,
});

/** An incoming stanza and the means to say that we are done with it. */
export interface Incoming {
  readonly stanza: Element;
  /** To be called once: the stanza is finished and may be reported to the server as handled. */
  finish(): void;
  /** The server may have delivered it on an earlier link. */
  readonly repeated: boolean;
}

export interface SessionEvents {
  /** Messages and presences, in order. */
  stanza(incoming: Incoming): void;
  /** All stanzas of one read were handed over: a batch is complete. */
  readDone(): void;
  /** An established session has lost its link. */
  lost(error: MagpieError): void;
}

export interface SessionOptions extends LinkOptions {
  readonly clock: Clock;
  /** Received stanzas not finished before reading stops. */
  readonly window: number;
  /** How long the server may take to acknowledge or answer, ms. */
  readonly timeout: number;
}

/** An established session. */
export interface Session {
  /** Our full JID. */
  readonly jid: string;
  /** Whether an earlier session goes on: rooms are still joined, nothing was missed. */
  readonly resumed: boolean;
  /** Whether the server acknowledges stanzas (XEP-0198). */
  readonly managed: boolean;
  /** Reading is stopped because the gateway has not settled what it was given. */
  readonly paused: boolean;
  /** Sends a stanza without waiting. A failure ends the link. */
  post(stanza: Element): void;
  /** Sends a stanza and resolves when the server has taken it. Rejects with `Unknown` when the link is lost before. */
  deliver(stanza: Element): Promise<void>;
  /** Sends an iq and resolves with the answer, a result or an error. Rejects with `NotConnected` on silence. */
  request(type: 'get' | 'set', child: Element, to?: string, signal?: AbortSignal): Promise<Element>;
  /** Drops the link with this reason; the session stays resumable. */
  drop(error: MagpieError): void;
  close(signal: AbortSignal): Promise<void>;
}

interface Pending {
  resolve(result: Element): void;
  reject(error: MagpieError): void;
}

interface State {
  readonly options: SessionOptions;
  readonly kept: ResumableState;
  readonly events: SessionEvents;
  readonly requests: Map<string, Pending>;
  readonly opened: PromiseWithResolvers<void>;
  link: Link | undefined;
  phase: 'negotiating' | 'ready' | 'over';
  resumed: boolean;
  /** Outgoing stanzas are counted: from `<enable/>` or `<resumed/>` on. */
  counting: boolean;
  paused: boolean;
  asked: boolean;
  askTimer: (() => void) | undefined;
  reported: number;
  reportTimer: (() => void) | undefined;
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

function createState(options: SessionOptions, kept: ResumableState, events: SessionEvents): State {
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
    resumed: false,
    counting: false,
    paused: false,
    asked: false,
    askTimer: undefined,
    reported: 0,
    reportTimer: undefined,
  };
}

function linkEvents(state: State): Parameters<typeof openLink>[1] {
  const { kept, events, opened } = state;
  return {
    resumption: () =>
      kept.id === undefined
        ? undefined
        : xml('resume', { xmlns: NS.streamManagement, previd: kept.id, h: String(kept.inbound.handled()) }),
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

/** A new session: what was not acknowledged on the old one is lost to us, its senders were told so. */
function bound(state: State, jid: string, managed: boolean): void {
  const { kept } = state;
  kept.outbound.restart();
  Object.assign(kept, freshState(), { jid, outbound: kept.outbound });
  if (!managed) return ready(state);
  state.counting = true;
  write(state, xml('enable', { xmlns: NS.streamManagement, resume: 'true' }));
}

function ready(state: State): void {
  state.phase = 'ready';
  state.reported = state.kept.inbound.handled();
  state.opened.resolve();
}

/** Elements of XEP-0198. */
function manage(state: State, element: Element): void {
  const { kept } = state;
  const h = Number(attribute(element, 'h'));
  switch (element.getName()) {
    case 'enabled': {
      const resumable = /^(true|1)$/.test(attribute(element, 'resume') ?? '');
      kept.id = resumable ? attribute(element, 'id') : undefined;
      kept.inbound = createInboundCounter();
      return ready(state);
    }
    case 'resumed':
      return resumed(state, h);
    case 'failed':
      return refused(state, h);
    case 'r':
      return report(state);
    case 'a':
      return acknowledged(state, h);
    default:
  }
}

function resumed(state: State, h: number): void {
  const { kept } = state;
  if (!kept.outbound.resume(h))
    throw new StreamViolation(`the server resumed the session with h=${h}, which cannot be`);
  kept.repeats = kept.inbound.outstanding();
  kept.inbound = createInboundCounter(kept.inbound.handled());
  state.resumed = true;
  state.counting = true;
  ready(state);
}

/** Either our `<enable/>` or our `<resume/>` was refused. */
function refused(state: State, h: number): void {
  const { kept } = state;
  if (kept.id === undefined) {
    state.counting = false;
    return ready(state);
  }
  if (Number.isInteger(h)) kept.outbound.resume(h);
  kept.id = undefined;
  state.link?.bind();
}

function acknowledged(state: State, h: number): void {
  state.asked = false;
  state.askTimer?.();
  if (!state.kept.outbound.acknowledge(h))
    throw new StreamViolation(`the server acknowledged ${h} stanzas, more than were sent`);
  ask(state);
}

/** Asks for an acknowledgement when something waits for one; one question at a time, so its rate is that of the round trip. */
function ask(state: State): void {
  const { kept, options } = state;
  if (state.asked || state.phase !== 'ready' || !state.counting || kept.outbound.length === 0) return;
  state.asked = true;
  write(state, xml('r', { xmlns: NS.streamManagement }));
  const silent = (): void => {
    if (state.paused) state.askTimer = options.clock.timeout(options.timeout, silent);
    else state.link?.fail(new NotConnected(`the server has not acknowledged anything for ${options.timeout} ms`));
  };
  state.askTimer = options.clock.timeout(options.timeout, silent);
}

/** Tells the server how many of its stanzas are finished: never how many have merely arrived. */
function report(state: State): void {
  state.reportTimer?.();
  state.reportTimer = undefined;
  state.reported = state.kept.inbound.handled();
  write(state, xml('a', { xmlns: NS.streamManagement, h: String(state.reported) }));
}

function receive(state: State, stanza: Element): void {
  if (state.phase === 'negotiating' && !state.counting) return state.link?.toLibrary(stanza);
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
  if (stanza.name !== 'iq') return events.stanza({ stanza, finish, repeated });
  finish();
  answer(state, stanza);
}

function answer(state: State, iq: Element): void {
  const type = attribute(iq, 'type');
  const pending = type === 'result' || type === 'error' ? state.requests.get(attribute(iq, 'id') ?? '') : undefined;
  if (!pending) return state.link?.toLibrary(iq);
  pending.resolve(iq);
}

/** Stops reading while half of what the server keeps for us waits for the gateway, and goes on when half of that is settled. */
function throttle(state: State): void {
  const waiting = state.kept.inbound.outstanding();
  if (!state.paused && waiting >= state.options.window) {
    state.paused = true;
    state.link?.pause();
  } else if (state.paused && waiting <= state.options.window / 2) {
    state.paused = false;
    state.link?.resume();
  }
}

/** Writes without waiting; a failed write means a failed link, which reports itself. */
function write(state: State, element: Element): void {
  state.link?.write(element).catch((error: unknown) => {
    state.link?.fail(new NotConnected('cannot write to the link', { cause: error }));
  });
}

function over(state: State, error: MagpieError): void {
  state.phase = 'over';
  state.askTimer?.();
  state.reportTimer?.();
  if (error instanceof StreamViolation) state.kept.id = undefined;
  state.kept.outbound.lose(`the link was lost before the server acknowledged the message: ${error.message}`);
  for (const { reject } of state.requests.values()) reject(new NotConnected(error.message));
  state.requests.clear();
}

function createSession(state: State): Session {
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

function send(state: State, stanza: Element, settle?: (error?: Unknown) => void): void {
  if (state.phase !== 'ready') throw new NotConnected('the link is down');
  transmit(state, stanza, settle);
}

function transmit(state: State, stanza: Element, settle?: (error?: Unknown) => void): void {
  if (state.counting) state.kept.outbound.push(attribute(stanza, 'id'), settle);
  write(state, stanza);
  ask(state);
}

async function deliver(state: State, stanza: Element): Promise<void> {
  if (!state.counting) return deliverUnmanaged(state, stanza);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  send(state, stanza, (error) => (error ? reject(error) : resolve()));
  return promise;
}

/** Without XEP-0198 a ping answered by the same server proves that it has taken what came before (RFC 6120 §10.1). */
async function deliverUnmanaged(state: State, stanza: Element): Promise<void> {
  send(state, stanza);
  try {
    await request(state, xml('iq', { type: 'get', id: randomUUID() }, xml('ping', { xmlns: NS.ping })));
  } catch (error) {
    throw new Unknown(`the server did not answer after the message: ${errorMessage(error)}`, { cause: error });
  }
}

/** Ids are random, so no other entity can guess an answer. */
async function request(state: State, iq: Element, signal?: AbortSignal): Promise<Element> {
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
