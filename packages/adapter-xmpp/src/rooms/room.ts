import { ConfigInvalid, createRetry, NotConnected, type Retry } from '@magpie/contract';
import { normalJid, resourceOf } from '../codec/jid.ts';
import { announces, discoQuery } from '../codec/stanza/disco.ts';
import { attribute, type Element, xml } from '../codec/stanza/element.ts';
import {
  acceptDefaults,
  destructionOf,
  LEAVING_ID,
  leavePresence,
  leavingReason,
  newNick,
  statusCodes,
} from '../codec/stanza/muc.ts';
import { NS } from '../codec/stanza/namespaces.ts';
import { conditionOf } from '../errors.ts';
import type { Link } from '../link/link.ts';
import { Admission, refusalOf } from './admission.ts';
import { Occupants } from './occupants.ts';
import type { RoomOptions } from './room-options.ts';
import { selfPing } from './self-ping.ts';
import { closedText, joinedText, movedText, stateOf } from './state-texts.ts';
import { Voice } from './voice.ts';

/** Nicks tried when ours is taken: `magpie`, `magpie_`, … */
const NICK_TRIES = 4;
/** Pauses before a room is joined again, ms: an operator who lifts a ban sees it work within a minute. */
const REJOIN = { min: 1_000, max: 60_000 } as const;
/** Feature of a room in which only participants speak (XEP-0045 §15.3). */
const MODERATED = 'muc_moderated';

/** One room that we are in or want to be in (XEP-0045). No I/O before `join` or `keep`. */
export class Room {
  readonly occupants = new Occupants();
  readonly #options: RoomOptions;
  readonly #retry: Retry;
  readonly #admission: Admission;
  readonly #voice = new Voice(() => {
    if (this.#joined) this.#tellJoined();
  });
  #password: string | undefined;
  #nick: string;
  #joined = false;
  /** Whether the room assigned us another nick (status 210): it would do so again. */
  #assigned = false;
  #features: Element | undefined;
  #joining: Promise<void> | undefined;
  /** Whether the room was left for good. */
  #left = false;
  /** Why we are out again, before we have heard all about the room that has let us in. */
  #expelled: string | undefined;
  /** Why we were not in the room, until the gap is reported. */
  #absence: string | undefined;

  constructor(options: RoomOptions) {
    this.#options = options;
    this.#nick = options.nick;
    this.#password = options.password;
    this.#admission = new Admission(options);
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
    });
    return this.#joining;
  }

  /** Joins and tries again after growing pauses, until it is left or the link is gone. Resolves after the first attempt. */
  async keep(): Promise<void> {
    if (!this.#joined) this.#tell('joining');
    await this.join().catch((error: unknown) => this.#retryLater(error));
  }

  /** Why messages may be missing in a resumed session. */
  get absence(): string | undefined {
    return this.#joined ? this.#absence : undefined;
  }

  /** Called when the gap was reported. */
  forgetAbsence(): void {
    this.#absence = undefined;
  }

  /** Takes a presence from the room. A refusal of our join comes from the room or from the occupant JID we requested. */
  presence(stanza: Element): void {
    const type = attribute(stanza, 'type');
    const from = attribute(stanza, 'from') ?? '';
    if (type === 'error') {
      if (attribute(stanza, 'id') === LEAVING_ID) return;
      if (from === this.occupantJid || normalJid(from) === this.jid) this.#admission.answered(stanza);
      return;
    }
    if (!this.occupants.update(stanza)) this.#options.count('occupants-forgotten');
    if (type !== 'unavailable') {
      if (!statusCodes(stanza).has('110') && from !== this.occupantJid) return;
      this.#expelled = undefined;
      this.#admission.answered(stanza);
      this.#voice.take(stanza, this.announces(MODERATED));
      return;
    }
    if (from !== this.occupantJid) {
      this.#takeNickBack();
      return;
    }
    const renamed = newNick(stanza);
    if (renamed === undefined) {
      this.lost(this.#whyLeft(stanza));
      return;
    }
    const alone = this.occupants.count === 0;
    this.#nick = renamed;
    this.#tellJoined();
    if (alone) this.#verify();
  }

  /** A message of ours was refused because we have no voice: a state of the room. */
  silenced(): void {
    if (this.#joined) this.#voice.refused();
  }

  /** Called when we are no longer in the room: rejoins after a pause. */
  lost(reason: string): void {
    this.#expelled = reason;
    if (!this.#joined) return;
    this.#joined = false;
    this.#absence ??= reason;
    this.occupants.clear();
    this.#options.left(`left ${this.jid}: ${reason}`);
    this.#tell(`${reason}; joining again`, 'trouble');
    this.#joinLater();
  }

  /** Asks the room whether we are still in it, and rejoins if not or if it is silent. Rejects only when the link is broken. */
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
    this.#admission.cancel(new NotConnected('the link was lost'));
    this.#joined = false;
    this.#absence = undefined;
    this.occupants.clear();
  }

  /** Leaves; it stays wanted. */
  sayGoodbye(): void {
    if (this.#joined) this.#options.link()?.post(leavePresence(this.occupantJid));
  }

  /** Leaves for good. */
  leave(): void {
    this.sayGoodbye();
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
    const { nick, address } = this.#options;
    const text = joinedText(this.#nick, nick, address());
    if (this.#voice.isMissing) this.#tell(`${text}, without voice: it takes no message of ours`, 'trouble');
    else this.#tell(text);
  }

  #whyLeft(presence: Element): string {
    const end = destructionOf(presence);
    if (!end) return leavingReason(statusCodes(presence));
    const { to, password } = end;
    if (to === undefined || !this.#options.moved(to)) return closedText(end);
    this.#password = password ?? this.#options.password;
    return movedText(to);
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
      for (let [attempt, expelled] = [0, 0]; attempt < NICK_TRIES; ) {
        this.#nick = nick + '_'.repeat(attempt);
        this.occupants.clear();
        const answer = await this.#admission.ask(this.#live(), this.occupantJid, this.#password);
        if (attribute(answer, 'type') !== 'error') {
          if (await this.#entered(answer)) return;
          if (++expelled > 1) throw new NotConnected(`left at once: ${this.#expelled}`).concerning('place');
        } else if (conditionOf(answer.getChild('error') ?? answer) === 'conflict') attempt++;
        else throw refusalOf(answer, this.#options);
      }
      throw new NotConnected(
        `cannot join ${this.jid}: the nick "${nick}" and its variants are taken by others: set another one under rooms`,
      ).concerning('place');
    } catch (error) {
      if (this.#options.link()) this.#tell(stateOf(error), 'trouble');
      throw error;
    }
  }

  /** False when we are out again already. */
  async #entered(presence: Element): Promise<boolean> {
    const link = this.#live();
    const codes = statusCodes(presence);
    this.#nick = resourceOf(attribute(presence, 'from') ?? '') ?? this.#nick;
    this.#assigned = codes.has('210');
    const created = codes.has('201');
    if (created && !this.#options.create) {
      // A room that was never configured is gone with its only occupant (XEP-0045 §10.1.1).
      link.post(leavePresence(this.occupantJid));
      this.occupants.clear();
      throw new ConfigInvalid('the room does not exist; set create: true under rooms').concerning('place');
    }
    const [features] = await Promise.all([
      link.request('get', discoQuery(), this.jid),
      created ? link.request('set', acceptDefaults(), this.jid) : undefined,
    ]);
    // ejabberd throws out over an error that answers what was for a former link, and comes late.
    if (this.#expelled !== undefined) return false;
    this.#features = features;
    this.#voice.take(presence, this.announces(MODERATED));
    this.#joined = true;
    this.#retry.reset();
    this.#tellJoined();
    this.#options.entered();
    return true;
  }

  #live(): Link {
    const link = this.#options.link();
    if (!link) throw new NotConnected('the link is down');
    return link;
  }
}
