import { type Clock, ConfigInvalid, createRetry, errorMessage, NotConnected, type Retry } from '@magpie/contract';
import { normalJid, resourceOf } from '../codec/jid.ts';
import { announces, discoQuery } from '../codec/stanza/disco.ts';
import { attribute, type Element, xml } from '../codec/stanza/element.ts';
import { acceptDefaults, joinPresence, leavingReason, newNick, statusCodes } from '../codec/stanza/muc.ts';
import { NS } from '../codec/stanza/namespaces.ts';
import { conditionOf, joinError } from '../errors.ts';
import type { Link } from '../link/link.ts';
import { Occupants } from './occupants.ts';
import { selfPing } from './self-ping.ts';

/** Dependencies of a room. */
export interface RoomOptions {
  readonly jid: string;
  readonly nick: string;
  readonly password: string | undefined;
  /** Whether it is made when there is none. */
  readonly create: boolean;
  readonly clock: Clock;
  readonly timeout: number;
  /** The link while it is up. */
  link(): Link | undefined;
  /** State in words for status pages; undefined when the room is given up. */
  detail(state: string | undefined, trouble?: 'trouble'): void;
  /** We are no longer in the room: what was sent there without an echo has an unknown outcome. */
  left(reason: string): void;
  /** We ask to be let in: the room will tell of everybody who is there. */
  entering(): void;
  /** We are in it, and it has told of everybody. */
  entered(): void;
  /** Counts for metrics. */
  count(counter: string): void;
}

/** Nicks tried when ours is taken: `magpie`, `magpie_`, … */
const NICK_TRIES = 4;
/** Pauses before a room is joined again, ms: an operator who lifts a ban sees it work within a minute. */
const REJOIN = { min: 1_000, max: 60_000 } as const;

/** One room that we are in or want to be in (XEP-0045). No I/O before `join` or `keep`. */
export class Room {
  readonly occupants = new Occupants();
  readonly #options: RoomOptions;
  readonly #retry: Retry;
  #nick: string;
  #joined = false;
  /** Whether the room assigned us another nick (status 210): it would do so again. */
  #assigned = false;
  #features: Element | undefined;
  #joining: Promise<void> | undefined;
  /** Waits for the answer to our join presence. */
  #answer: PromiseWithResolvers<Element> | undefined;
  /** Whether the room was left for good. */
  #left = false;
  /** Why we were not in the room, until the gap is reported. */
  #absence: string | undefined;

  constructor(options: RoomOptions) {
    this.#options = options;
    this.#nick = options.nick;
    this.#retry = createRetry(options.clock, REJOIN);
  }

  get jid(): string {
    return this.#options.jid;
  }

  get joined(): boolean {
    return this.#joined;
  }

  /** Our full JID in the room. */
  get occupantJid(): string {
    return `${this.jid}/${this.#nick}`;
  }

  /** Whether the room stamps trustworthy stanza ids (XEP-0359 §5). */
  get stampsIds(): boolean {
    return this.announces(NS.stanzaId);
  }

  /** Whether the room has a feature, by its own word (XEP-0030). */
  announces(feature: string): boolean {
    return this.#features !== undefined && announces(this.#features, feature);
  }

  /** Joins unless joined; calls during a join share it. One attempt. Rejects with a taxonomy error. */
  join(): Promise<void> {
    if (this.#joined) return Promise.resolve();
    this.#retry.cancel();
    this.#joining ??= this.#enter().finally(() => {
      this.#joining = undefined;
      this.#answer = undefined;
    });
    return this.#joining;
  }

  /**
   * Joins and, when that is refused, tries again by itself after growing pauses until the room is left or the link is
   * gone. Resolves after the first attempt; never rejects: the details show the state.
   */
  async keep(): Promise<void> {
    if (!this.#joined) this.#tell('joining');
    await this.join().catch((error: unknown) => this.#retryLater(error));
  }

  /** Why messages may be missing in a resumed session: we were not in the room for a while. */
  get absence(): string | undefined {
    return this.#joined ? this.#absence : undefined;
  }

  /** Called when the gap was reported. */
  forgetAbsence(): void {
    this.#absence = undefined;
  }

  /**
   * Takes a presence from the room. A refusal of our join comes from the room or from the occupant JID we requested.
   */
  presence(stanza: Element): void {
    const type = attribute(stanza, 'type');
    const from = attribute(stanza, 'from') ?? '';
    if (type === 'error') {
      if (from === this.occupantJid || normalJid(from) === this.jid) this.#answer?.resolve(stanza);
      return;
    }
    if (!this.occupants.update(stanza)) this.#options.count('occupants-forgotten');
    const codes = statusCodes(stanza);
    if (type !== 'unavailable') {
      if (codes.has('110') || from === this.occupantJid) this.#answer?.resolve(stanza);
      return;
    }
    if (from !== this.occupantJid) {
      this.#takeNickBack();
      return;
    }
    const renamed = newNick(stanza);
    if (renamed === undefined) {
      this.lost(leavingReason(codes));
      return;
    }
    const alone = this.occupants.count === 0;
    this.#nick = renamed;
    this.#tellJoined();
    if (alone) this.#verify();
  }

  /** Called when we are no longer in the room: rejoins after a pause. */
  lost(reason: string): void {
    if (!this.#joined) return;
    this.#joined = false;
    this.#absence ??= reason;
    this.occupants.clear();
    this.#options.left(`left ${this.jid}: ${reason}`);
    this.#tell(`${reason}; joining again`, 'trouble');
    this.#joinLater();
  }

  /**
   * Asks the room whether we are still in it, and rejoins if not: a silent room is joined again to see. Rejects only when the
   * link is broken.
   */
  async ping(signal: AbortSignal): Promise<void> {
    const { clock, link: current } = this.#options;
    const link = current();
    if (!link || !this.#joined) return;
    const membership = await selfPing(link, this.occupantJid, clock, signal, current);
    if (membership === 'in') this.#takeNickBack();
    else if (membership !== 'unknown') this.lost(membership.absent);
  }

  /** The session is gone, and with it the membership. */
  reset(): void {
    this.#retry.cancel();
    this.#retry.reset();
    this.#answer?.reject(new NotConnected('the link was lost'));
    this.#joined = false;
    this.#absence = undefined;
    this.occupants.clear();
  }

  /** Leaves for good. */
  leave(): void {
    if (this.#joined) this.#options.link()?.post(xml('presence', { to: this.occupantJid, type: 'unavailable' }));
    this.#left = true;
    this.reset();
    this.#options.detail(undefined);
  }

  /** Asks for the configured nick as soon as nobody has it (XEP-0045 §7.6); a refusal changes nothing. */
  #takeNickBack(): void {
    const { nick, link } = this.#options;
    if (!this.#joined || this.#assigned || this.#nick === nick || this.occupants.has(nick)) return;
    link()?.post(xml('presence', { to: `${this.jid}/${nick}` }));
  }

  /** Prosody 0.12 drops a temporary room whose only occupant changes its nick. No message can be missed then. */
  #verify(): void {
    const forgotten = (): void => {
      if (!this.#joined) this.#absence = undefined;
    };
    this.ping(new AbortController().signal).then(forgotten, () => undefined);
  }

  #tellJoined(): void {
    const { nick } = this.#options;
    this.#tell(`joined as ${this.#nick}${this.#nick === nick ? '' : ` ("${nick}" is not free)`}`);
  }

  #joinLater(): void {
    this.#retry.schedule(() => void this.join().catch((error: unknown) => this.#retryLater(error)));
  }

  #retryLater(error: unknown): void {
    if (this.#left || !this.#options.link()) return;
    this.#tell(stateOf(error), 'trouble');
    this.#joinLater();
  }

  #tell(text: string, trouble?: 'trouble'): void {
    if (!this.#left) this.#options.detail(text, trouble);
  }

  async #enter(): Promise<void> {
    const { nick } = this.#options;
    try {
      for (let attempt = 0; attempt < NICK_TRIES; attempt++) {
        this.#nick = nick + '_'.repeat(attempt);
        const answer = await this.#requestEntry();
        if (attribute(answer, 'type') !== 'error') return await this.#entered(answer);
        const error = answer.getChild('error');
        if (!error || conditionOf(error) !== 'conflict') throw joinError(this.jid, answer);
      }
      throw new NotConnected(
        `cannot join ${this.jid}: the nick "${nick}" and its variants are taken by others: set another one under rooms`,
      ).concerning('place');
    } catch (error) {
      if (this.#options.link()) this.#tell(stateOf(error), 'trouble');
      throw error;
    }
  }

  /** Sends the join presence and waits for the room's answer: our own presence with status 110, or an error. */
  async #requestEntry(): Promise<Element> {
    const { clock, timeout, password } = this.#options;
    const link = this.#live();
    const answer = Promise.withResolvers<Element>();
    this.#answer = answer;
    this.occupants.clear();
    const cancel = clock.timeout(timeout, () => {
      const silent = `${this.jid} did not answer our join within ${timeout} ms`;
      answer.reject(new NotConnected(silent).concerning('place'));
    });
    try {
      this.#options.entering();
      link.post(joinPresence(this.occupantJid, password));
      return await answer.promise;
    } finally {
      cancel();
    }
  }

  async #entered(presence: Element): Promise<void> {
    const link = this.#live();
    const codes = statusCodes(presence);
    this.#nick = resourceOf(attribute(presence, 'from') ?? '') ?? this.#nick;
    this.#assigned = codes.has('210');
    const created = codes.has('201');
    if (created && !this.#options.create) {
      // A room that was never configured is gone with its only occupant (XEP-0045 §10.1.1).
      link.post(xml('presence', { to: this.occupantJid, type: 'unavailable' }));
      this.occupants.clear();
      throw new ConfigInvalid('the room does not exist; set create: true under rooms').concerning('place');
    }
    const [features] = await Promise.all([
      link.request('get', discoQuery(), this.jid),
      created ? link.request('set', acceptDefaults(), this.jid) : undefined,
    ]);
    this.#features = features;
    this.#joined = true;
    this.#retry.reset();
    this.#tellJoined();
    this.#options.entered();
  }

  #live(): Link {
    const link = this.#options.link();
    if (!link) throw new NotConnected('the link is down');
    return link;
  }
}

const stateOf = (error: unknown): string =>
  error instanceof ConfigInvalid ? `not permitted: ${error.message}` : errorMessage(error);
