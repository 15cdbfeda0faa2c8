import { type Clock, MagpieError, NotConnected } from '@magpie/contract';
import { conditionOf, joinError } from './errors.ts';
import { attribute, type Element, xml } from './library.ts';
import { NS } from './namespaces.ts';
import { createOccupants, type Occupants, statusCodes } from './occupants.ts';
import type { Session } from './session.ts';

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
  /** Joins unless joined; calls during a join share it. Rejects with a taxonomy error. */
  join(): Promise<void>;
  /** Takes a presence from the room. */
  presence(stanza: Element): void;
  /** The room says that we are not in it: joins again after a pause. */
  expelled(reason: string): void;
  /** Asks the room whether we are still in it (XEP-0410). Rejects with `NotConnected` on silence. */
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
  attempts: number;
  cancelRejoin: (() => void) | undefined;
}

/** Nicks tried when ours is taken: `magpie`, `magpie_`, … */
const NICK_TRIES = 4;
const REJOIN_MS = { first: 1_000, most: 60_000 } as const;

export function createRoom(options: RoomOptions): Room {
  const state: State = {
    options,
    occupants: createOccupants(),
    nick: options.nick,
    joined: false,
    stampsIds: false,
    joining: undefined,
    answer: undefined,
    attempts: 0,
    cancelRejoin: undefined,
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
    presence: (stanza) => presence(state, stanza),
    expelled: (reason) => expelled(state, reason),
    ping: (signal) => ping(state, signal),
    reset: () => reset(state),
    leave() {
      if (state.joined)
        state.options.session()?.post(xml('presence', { to: `${options.jid}/${state.nick}`, type: 'unavailable' }));
      reset(state);
      options.detail(undefined);
    },
  };
}

function join(state: State): Promise<void> {
  if (state.joined) return Promise.resolve();
  state.cancelRejoin?.();
  state.joining ??= enter(state).finally(() => {
    state.joining = undefined;
    state.answer = undefined;
  });
  return state.joining;
}

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
    options.detail(error instanceof MagpieError ? error.message : 'join failed');
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
  state.attempts = 0;
  options.detail(`joined as ${state.nick}`);
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
  scheduleRejoin(state, reason);
}

function scheduleRejoin(state: State, reason: string): void {
  const delay = Math.min(REJOIN_MS.most, REJOIN_MS.first * 2 ** state.attempts);
  state.attempts += 1;
  state.options.detail(`${reason}; joining again`);
  state.cancelRejoin = state.options.clock.timeout(delay, () => {
    join(state).catch((error: unknown) => {
      if (state.options.session()) scheduleRejoin(state, error instanceof Error ? error.message : 'join failed');
    });
  });
}

/** XEP-0410: only "not acceptable" says that we are out; other errors come from a client that does not know pings. */
async function ping(state: State, signal: AbortSignal): Promise<void> {
  const { options, nick } = state;
  const session = options.session();
  if (!session || !state.joined) return;
  const answer = await session.request('get', xml('ping', { xmlns: NS.ping }), `${options.jid}/${nick}`, signal);
  const error = answer.getChild('error');
  if (attribute(answer, 'type') === 'error' && error && conditionOf(error) === 'not-acceptable') {
    expelled(state, 'the room has lost us');
  }
}

function reset(state: State): void {
  state.cancelRejoin?.();
  state.answer?.reject(new NotConnected('the link was lost'));
  state.joined = false;
  state.attempts = 0;
  state.occupants.clear();
}
