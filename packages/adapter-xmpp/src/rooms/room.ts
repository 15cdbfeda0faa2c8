import { type Clock, ConfigInvalid, createRetry, errorMessage, NotConnected, type Retry } from '@magpie/contract';
import { NS } from '../codec/namespaces.ts';
import { conditionOf, joinError } from '../errors.ts';
import { attribute, type Element, xml } from '../link/library.ts';
import type { Session } from '../session/session.ts';
import { createOccupants, type Occupants, statusCodes } from './occupants.ts';

/** What a room needs to know and to tell. */
export interface RoomOptions {
  readonly jid: string;
  readonly nick: string;
  readonly password: string | undefined;
  readonly clock: Clock;
  readonly timeout: number;
  /** The session while the link is up. */
  session(): Session | undefined;
  /** State in words for status pages; undefined when the room is given up. */
  detail(state: string | undefined): void;
  /** We are no longer in the room: what was sent there without an echo has an unknown outcome. */
  left(reason: string): void;
}

/** One room that we are in or want to be in (XEP-0045). */
export interface Room {
  readonly jid: string;
  readonly joined: boolean;
  /** Our full JID in the room. */
  readonly occupantJid: string;
  readonly occupants: Occupants;
  /** The room stamps stanza ids that may be believed (XEP-0359 §5). */
  readonly stampsIds: boolean;
  /** Joins unless joined; calls during a join share it. One attempt. Rejects with a taxonomy error. */
  join(): Promise<void>;
  /**
   * Joins and, when that is refused, tries again by itself after growing pauses until the room is left or the session is
   * gone. Resolves when the first attempt is decided; never rejects: the details say how it stands.
   */
  keep(): Promise<void>;
  /** Takes a presence from the room. */
  presence(stanza: Element): void;
  /** The room says that we are not in it: joins again after a pause. */
  expelled(reason: string): void;
  /** Asks the room whether we are still in it (XEP-0410), and joins again if not. Rejects only when the link is bad. */
  ping(signal: AbortSignal): Promise<void>;
  /** The session is gone, and with it the membership. */
  reset(): void;
  /** Leaves for good. */
  leave(): void;
}

interface State {
  readonly options: RoomOptions;
  readonly occupants: Occupants;
  nick: string;
  joined: boolean;
  stampsIds: boolean;
  joining: Promise<void> | undefined;
  /** Waits for the answer to our join presence. */
  answer: PromiseWithResolvers<Element> | undefined;
  readonly retry: Retry;
  /** Left for good: nothing more is told or tried. */
  left: boolean;
}

/** Nicks tried when ours is taken: `magpie`, `magpie_`, … */
const NICK_TRIES = 4;
/** Pauses before a room is joined again, ms: an operator who lifts a ban sees it work within a minute. */
const REJOIN = { min: 1_000, max: 60_000 } as const;
/** Longest wait for the answer to a self-ping, ms: shorter than the supervisor waits for a probe. */
const PING_MS = 5_000;

/** A room that is not joined yet. No I/O. */
export function createRoom(options: RoomOptions): Room {
  const state: State = {
    options,
    occupants: createOccupants(),
    nick: options.nick,
    joined: false,
    stampsIds: false,
    joining: undefined,
    answer: undefined,
    retry: createRetry(options.clock, REJOIN),
    left: false,
  };
  return {
    jid: options.jid,
    occupants: state.occupants,
    get joined() {
      return state.joined;
    },
    get occupantJid() {
      return `${options.jid}/${state.nick}`;
    },
    get stampsIds() {
      return state.stampsIds;
    },
    join: () => join(state),
    keep: () => keep(state),
    presence: (stanza) => presence(state, stanza),
    expelled: (reason) => expelled(state, reason),
    ping: (signal) => ping(state, signal),
    reset: () => reset(state),
    leave() {
      if (state.joined)
        state.options.session()?.post(xml('presence', { to: `${options.jid}/${state.nick}`, type: 'unavailable' }));
      state.left = true;
      reset(state);
      options.detail(undefined);
    },
  };
}

function join(state: State): Promise<void> {
  if (state.joined) return Promise.resolve();
  state.retry.cancel();
  state.joining ??= enter(state).finally(() => {
    state.joining = undefined;
    state.answer = undefined;
  });
  return state.joining;
}

async function keep(state: State): Promise<void> {
  if (!state.joined) tell(state, 'joining');
  await join(state).catch((error: unknown) => retryLater(state, error));
}

function retryLater(state: State, error: unknown): void {
  if (state.left || !state.options.session()) return;
  tell(state, stateOf(error));
  state.retry.schedule(() => void join(state).catch((again: unknown) => retryLater(state, again)));
}

function tell(state: State, text: string): void {
  if (!state.left) state.options.detail(text);
}

const stateOf = (error: unknown): string =>
  error instanceof ConfigInvalid ? `not permitted: ${error.message}` : errorMessage(error);

async function enter(state: State): Promise<void> {
  const { options } = state;
  try {
    for (let attempt = 0; attempt < NICK_TRIES; attempt++) {
      state.nick = options.nick + '_'.repeat(attempt);
      const answer = await requestEntry(state);
      if (attribute(answer, 'type') !== 'error') return await entered(state, answer);
      const error = answer.getChild('error');
      if (!error || conditionOf(error) !== 'conflict') throw joinError(options.jid, answer);
    }
    throw new NotConnected(
      `cannot join ${options.jid}: the nick "${options.nick}" and its variants are taken by others: set another one under rooms`,
    );
  } catch (error) {
    if (options.session()) tell(state, stateOf(error));
    throw error;
  }
}

/** Sends the join presence and waits for the room's answer: our own presence with status 110, or an error. */
async function requestEntry(state: State): Promise<Element> {
  const { options, nick } = state;
  const session = options.session();
  if (!session) throw new NotConnected('the link is down');
  const answer = Promise.withResolvers<Element>();
  state.answer = answer;
  state.occupants.clear();
  const { password } = options;
  const muc = xml('x', { xmlns: NS.muc }, xml('history', { maxstanzas: '0' }));
  if (password !== undefined) muc.append(xml('password', {}, password));
  const cancel = options.clock.timeout(options.timeout, () => {
    answer.reject(new NotConnected(`${options.jid} did not answer our join within ${options.timeout} ms`));
  });
  try {
    session.post(xml('presence', { to: `${options.jid}/${nick}` }, muc));
    return await answer.promise;
  } finally {
    cancel();
  }
}

async function entered(state: State, presenceStanza: Element): Promise<void> {
  const { options } = state;
  const session = options.session();
  if (!session) throw new NotConnected('the link is down');
  // The room may have changed our nick (status 210).
  state.nick = (attribute(presenceStanza, 'from') ?? '').slice(options.jid.length + 1) || state.nick;
  const created = statusCodes(presenceStanza).has('201');
  const [features] = await Promise.all([
    session.request('get', xml('query', { xmlns: NS.discoInfo }), options.jid),
    created ? unlock(session, options.jid) : undefined,
  ]);
  state.stampsIds = announces(features, NS.stanzaId);
  state.joined = true;
  state.retry.reset();
  tell(state, `joined as ${state.nick}`);
}

/** XEP-0045 §10.1.2: a room that our join has created stays locked until its defaults are accepted. */
const unlock = (session: Session, room: string): Promise<Element> =>
  session.request('set', xml('query', { xmlns: NS.mucOwner }, xml('x', { xmlns: NS.dataForms, type: 'submit' })), room);

/** Whether a disco answer lists a feature. */
export const announces = (answer: Element, feature: string): boolean =>
  attribute(answer, 'type') === 'result' &&
  (answer.getChild('query', NS.discoInfo)?.getChildren('feature') ?? []).some(
    (child) => attribute(child, 'var') === feature,
  );

function presence(state: State, stanza: Element): void {
  const { options } = state;
  const type = attribute(stanza, 'type');
  if (type === 'error') {
    state.answer?.resolve(stanza);
    return;
  }
  state.occupants.update(stanza);
  const codes = statusCodes(stanza);
  const ours = codes.has('110') || attribute(stanza, 'from') === `${options.jid}/${state.nick}`;
  if (!ours) return;
  const renamed = codes.has('303') && stanza.getChild('x', NS.mucUser)?.getChild('item');
  if (type !== 'unavailable') state.answer?.resolve(stanza);
  else if (renamed) state.nick = attribute(renamed, 'nick') ?? state.nick;
  else if (state.joined) expelled(state, leavingReason(codes));
}

const LEAVING: Readonly<Record<string, string>> = {
  301: 'banned',
  307: 'kicked',
  321: 'removed by a change of affiliation',
  322: 'the room became members-only',
  332: 'the room service shuts down',
  333: 'removed for a technical problem',
};

const leavingReason = (codes: ReadonlySet<string>): string =>
  [...codes].map((code) => LEAVING[code]).find((reason) => reason !== undefined) ?? 'no longer in the room';

function expelled(state: State, reason: string): void {
  if (!state.joined) return;
  state.joined = false;
  state.occupants.clear();
  state.options.left(`left ${state.options.jid}: ${reason}`);
  tell(state, `${reason}; joining again`);
  state.retry.schedule(() => void join(state).catch((error: unknown) => retryLater(state, error)));
}

/**
 * XEP-0410: only "not acceptable" says that we are out; other errors come from a client that does not know pings. A room that
 * is silent while the server answers may be gone: joining again finds out.
 */
async function ping(state: State, signal: AbortSignal): Promise<void> {
  const { options, nick } = state;
  const session = options.session();
  if (!session || !state.joined) return;
  const late = new AbortController();
  const cancel = options.clock.timeout(PING_MS, () => late.abort());
  try {
    const either = AbortSignal.any([signal, late.signal]);
    const answer = await session.request('get', xml('ping', { xmlns: NS.ping }), `${options.jid}/${nick}`, either);
    const error = attribute(answer, 'type') === 'error' ? answer.getChild('error') : undefined;
    if (error && conditionOf(error) === 'not-acceptable') expelled(state, 'the room has lost us');
  } catch (error) {
    if (signal.aborted || options.session() !== session) throw error;
    expelled(state, 'the room does not answer');
  } finally {
    cancel();
  }
}

function reset(state: State): void {
  state.retry.cancel();
  state.retry.reset();
  state.answer?.reject(new NotConnected('the link was lost'));
  state.joined = false;
  state.occupants.clear();
}
