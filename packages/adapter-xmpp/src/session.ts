import { randomBytes } from 'node:crypto';
import {
  type AdapterContext,
  type MagpieError,
  NotConnected,
  type PresenceEntry,
  type SourceRequest,
  Unknown,
} from '@magpie/contract';
import { CatchUp } from './archive/catch-up.ts';
import { Gaps } from './archive/gaps.ts';
import { splitJid } from './codec/jid.ts';
import { announces, discoQuery } from './codec/stanza/disco.ts';
import type { Element } from './codec/stanza/element.ts';
import { NS } from './codec/stanza/namespaces.ts';
import { catchUpOf, type XmppConfig } from './config.ts';
import { type OwnAddresses, ownAddresses } from './contacts/own-addresses.ts';
import { lostOnTheWay } from './errors.ts';
import { Uploads } from './files/uploads.ts';
import { type Identity, identityOf } from './identity.ts';
import type { Link, LinkEvents } from './link/link.ts';
import { openLink } from './link/open-link.ts';
import { ResumableSession } from './link/resumable-session.ts';
import { Nodes } from './nodes/nodes.ts';
import { whileDue } from './patience.ts';
import { present } from './presence/present.ts';
import { WhoIsThere } from './presence/who-is-there.ts';
import { createIntake, type Intake } from './receive/intake.ts';
import { Receiver } from './receive/receiver.ts';
import { MovedRooms } from './rooms/moved-rooms.ts';
import { Rooms } from './rooms/rooms.ts';
import { Outbox } from './send/outbox.ts';
import { StanzaLimit } from './send/stanza-limit.ts';
import { Unconfirmed } from './send/unconfirmed.ts';
import { streamOpener } from './stream-opener.ts';

/** Longest time for resuming a lost session just to end it, ms. */
const RECLAIM_MS = 3_000;
/** Longest wait before a resumption for verdicts on stanzas of the old link, ms. */
const SETTLE_MS = 2_000;

/**
 * Our presence at the server over all links of a connection (a session of XEP-0198 outlives its links): what is received, sent
 * and joined, and the link that is up at the moment. One per connection.
 */
export class Session {
  readonly intake: Intake;
  readonly rooms: Rooms;
  readonly nodes: Nodes;
  readonly outbox: Outbox;
  readonly gaps: Gaps;
  readonly #catchUp: CatchUp;
  readonly #config: XmppConfig;
  readonly #identity: Identity;
  readonly #context: AdapterContext;
  readonly #resumable = new ResumableSession();
  readonly #unconfirmed: Unconfirmed;
  readonly #receiver: Receiver;
  readonly #lost: (error: MagpieError) => void;
  /** The same for every login, so that a new session replaces the old one. */
  readonly #resource: string;
  readonly #whoIsThere: WhoIsThere;
  readonly #uploads: Uploads;
  readonly #own: OwnAddresses;
  readonly #moved: MovedRooms;
  readonly #limit: StanzaLimit;
  #link: Link | undefined;

  /** @param lost called once per link when it is lost, possibly during `establish`. */
  constructor(config: XmppConfig, context: AdapterContext, lost: (error: MagpieError) => void) {
    this.#config = config;
    this.#identity = identityOf(config, context.gatewayId);
    this.#context = context;
    this.#lost = lost;
    const isAccount = this.#identity.domain === undefined;
    // Random per process: a restarted gateway must not compete with its old session for a resource. A component has none: by the same
    // address rooms know it again, and do not keep the old one as a second occupant.
    this.#resource = config.resource ?? context.gatewayId + (isAccount ? `-${randomBytes(4).toString('hex')}` : '');
    const link = (): Link | undefined => this.#link;
    const unconfirmed = new Unconfirmed(context.clock);
    this.#limit = new StanzaLimit({ configured: config.maxStanzaBytes, context });
    this.#moved = new MovedRooms(context.store, config.followMoved);
    const rooms = new Rooms({
      ...{ config, context, link, moved: this.#moved },
      left: (room, reason) =>
        unconfirmed.settleAll(new Unknown(`${reason} before it echoed the message`).concerning('place'), room),
      entering: (room) => {
        this.#whoIsThere.begin(room);
        this.#catchUp.entering(room);
      },
      entered: (room) => {
        this.#whoIsThere.complete(room.jid);
        if (this.#link) this.#catchUp.room(this.#link, room);
      },
    });
    const unavailable = (reason: string): void =>
      link()?.drop(new NotConnected(`the gateway cannot store messages now (${reason}): the server keeps them`));
    this.rooms = rooms;
    this.intake = createIntake(context, { window: config.receiveWindow, unavailable });
    this.#whoIsThere = new WhoIsThere({ context, intake: this.intake, link });
    const { account, intake } = this;
    const gaps = new Gaps(account, intake);
    this.gaps = gaps;
    const received = { config, context, account, intake, gaps, link };
    const nodes = new Nodes({ ...received, limit: this.#limit });
    this.nodes = nodes;
    this.#catchUp = new CatchUp({
      ...{ ...received, wanted: catchUpOf(config) },
      room: (jid) => rooms.get(jid),
      toEvent: (by, archived) => this.#receiver.archived(by, archived),
    });
    const post = (stanza: Element): void => this.#post(stanza);
    const isRoom = (jid: string): boolean => rooms.get(jid) !== undefined;
    this.#own = ownAddresses({ config, context, identity: this.#identity, intake, isRoom, post });
    const { presence, contacts, commands } = this.#own;
    const uploads = new Uploads({ config, domain: isAccount ? splitJid(account).domain : undefined, context });
    this.#uploads = uploads;
    this.outbox = new Outbox({
      ...{ config, identity: this.#identity, unconfirmed, rooms, uploads, commands, link },
      ...{ resumable: this.#resumable, limit: this.#limit, moved: this.#moved, nodes },
      setPresence: async (name, state) => (contacts ?? presence)?.set(name, state),
    });
    this.#unconfirmed = unconfirmed;
    this.#receiver = new Receiver({
      ...{ account, rooms, unconfirmed, contacts, post, intake, nodes, catchUp: this.#catchUp },
      ...{ presence, whoIsThere: this.#whoIsThere, receipts: config.receipts },
      acceptReplyTo: config.acceptReplyTo,
      contact: (jid) => contacts?.nameOf(jid),
      jid: () => this.#resumable.jid,
      count: context.count,
    });
  }

  /** Our bare JID. */
  get account(): string {
    return this.#identity.account;
  }

  /** The link while it is up. */
  get link(): Link | undefined {
    return this.#link;
  }

  /** The link, or `NotConnected` at once. */
  live(): Link {
    if (!this.#link) throw new NotConnected('the link is down');
    return this.#link;
  }

  /** Logs in: resumes the lost session, or begins a new one. The signal ends the attempt. */
  async establish(signal: AbortSignal): Promise<Link> {
    const link = await this.#login(signal);
    this.#link = link;
    signal.throwIfAborted();
    await this.#begin(link);
    return link;
  }

  /** Leaves nothing of a failed attempt behind. */
  async abandon(): Promise<void> {
    const link = this.#link;
    this.forget(new NotConnected('the attempt to connect failed'));
    await link?.close(AbortSignal.abort());
    this.#resumable.forget();
  }

  /**
   * Closes in order; cuts the link when the signal fires. If it has already fired, the next login resumes the session.
   */
  async end(signal: AbortSignal): Promise<void> {
    const link = this.#link ?? (await this.#reclaim(signal));
    if (!signal.aborted) {
      this.#own.contacts?.sayGoodbye();
      this.#own.commands.close();
      if (this.#identity.domain !== undefined) this.rooms.sayGoodbye();
    }
    this.forget(new NotConnected('the connection was closed'));
    await Promise.all([link?.close(signal), this.#uploads.close()]);
  }

  /** Called when the link is gone: waiting sends will get no confirmation. */
  forget(reason: MagpieError): void {
    this.#link = undefined;
    this.#own.contacts?.disconnected();
    this.intake.hold();
    this.#catchUp.lost();
    this.nodes.lost();
    this.#context.detail('session', undefined);
    this.#unconfirmed.settleAll(lostOnTheWay(reason));
  }

  /**
   * Says whether one-to-one messages are received. A component gets everything for its domain in any case. Resolves when the
   * server has taken that. Rejects with `NotConnected` on a dead link.
   */
  async announce(link: Link, receiving: boolean): Promise<void> {
    if (!this.#own.presence) return;
    const taken = this.#own.presence.announce(link, receiving);
    this.#whoIsThere.findWhoLeft(link);
    await taken;
  }

  /** Who is there at the moment: people, occupants, and the contacts of a component. */
  present(): Iterable<PresenceEntry> {
    return present(this.#whoIsThere, this.#own.contacts);
  }

  /** Sets the sources that commands are among. Called whenever they change. */
  offer(sources: readonly SourceRequest[]): void {
    this.#own.commands.want(sources);
  }

  /** Reads what was missed, as far as an archive has it: of the account, if it receives, and of the rooms that we are in already. */
  catchUp(link: Link, receiving: boolean): void {
    if (receiving) this.#catchUp.account(link);
    for (const room of this.rooms) if (room.joined) this.#catchUp.room(link, room);
  }

  async #begin(link: Link): Promise<void> {
    const { logger, detail } = this.#context;
    if (!link.resumed) {
      this.rooms.reset();
      this.#own.presence?.reset();
      this.#whoIsThere.begin();
      this.#catchUp.begin();
      this.nodes.begin();
      this.gaps.reset();
    }
    this.#receiver.wasAway = !link.resumed;
    this.#limit.announced(link.largestStanza);
    const isComponent = this.#identity.domain !== undefined;
    if (!link.managed && !isComponent)
      logger.warn({}, 'the server has no stream management (XEP-0198): received messages are at most once');
    detail('session', link.resumed ? 'resumed' : `new as ${link.jid}`);
    if (isComponent) {
      this.#own.contacts?.tellAll();
      this.#whoIsThere.findWhoLeft(link);
    }
    if (link.resumed || isComponent) return;
    const account = await link.request('get', discoQuery(), this.account);
    this.#receiver.accountStampsIds = announces(account, NS.stanzaId);
    this.#catchUp.accountHasArchive = announces(account, NS.archive);
  }

  async #login(signal: AbortSignal): Promise<Link> {
    const { clock } = this.#context;
    const open = await streamOpener(this.#config, this.#identity, this.#resource);
    const { contacts, cards, presence } = this.#own;
    const own = [contacts, cards, presence, this.#catchUp, this.nodes];
    const kept = [...own, this.#whoIsThere, this.#uploads, this.#moved, this.#limit];
    await Promise.all(kept.map(async (each) => each?.load()));
    // Unsettled stanzas of the old link would be delivered twice: a short wait usually settles them.
    const isDue = () => this.#resumable.id !== undefined && this.intake.judging() > 0 && !signal.aborted;
    await whileDue(isDue, clock, SETTLE_MS);
    const options = { clock, timeout: this.#config.timeout, domain: this.#identity.domain, moved: this.#moved };
    return openLink(open, options, this.#resumable, this.#linkEvents(), signal);
  }

  /**
   * After a lost link the server still holds our session with its messages, and releases them to the next login only
   * after an orderly close. So the session is resumed once more in order to close it. Undefined when that is not
   * possible.
   */
  async #reclaim(signal: AbortSignal): Promise<Link | undefined> {
    if (this.#resumable.id === undefined || signal.aborted) return undefined;
    this.intake.quiesce();
    try {
      return await this.#login(AbortSignal.any([signal, AbortSignal.timeout(RECLAIM_MS)]));
    } catch (error) {
      this.#context.logger.debug({ error: String(error) }, 'the old session is left to expire at the server');
      return undefined;
    }
  }

  /** Sends without waiting; what is said while the link is down is said again at the next connect. */
  #post(stanza: Element): void {
    try {
      this.#link?.post(stanza);
    } catch (error) {
      this.#context.logger.debug({ error: String(error) }, 'a stanza that nobody waits for could not be sent');
    }
  }

  #linkEvents(): LinkEvents {
    return {
      stanza: (incoming) => this.#receiver.take(incoming),
      readDone: () => this.intake.flush(),
      answer: (iq, repeated) => this.#own.answer(iq, repeated),
      load: () => this.intake.load(),
      lost: (error) => {
        this.forget(error);
        this.#lost(error);
      },
    };
  }
}
