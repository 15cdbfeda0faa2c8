import { randomBytes } from 'node:crypto';
import { loadTls, possibleGap } from '@magpie/adapter-kit';
import { type AdapterContext, type MagpieError, NotConnected, Unknown } from '@magpie/contract';
import { access } from './access.ts';
import { addressOf } from './codec/addresses.ts';
import { enableCarbons } from './codec/carbons.ts';
import { bareJid, splitJid } from './codec/jid.ts';
import { announces, discoQuery } from './codec/stanza/disco.ts';
import { attribute, type Element, xml } from './codec/stanza/element.ts';
import { NS } from './codec/stanza/namespaces.ts';
import type { XmppConfig } from './config.ts';
import { ContactBook } from './contacts/contact-book.ts';
import { Contacts } from './contacts/contacts.ts';
import { Paced } from './contacts/paced.ts';
import { lostOnTheWay } from './errors.ts';
import { type Identity, identityOf } from './identity.ts';
import { ClientStream, type ClientStreamEvents } from './link/client-stream.ts';
import { ComponentStream } from './link/component-stream.ts';
import { findEndpoints } from './link/dial.ts';
import { type Link, type LinkEvents, openLink } from './link/link.ts';
import { ResumableSession } from './link/resumable-session.ts';
import type { XmlStream } from './link/stream.ts';
import { createIntake, type Intake } from './receive/intake.ts';
import { OtherClients } from './receive/other-clients.ts';
import { Receiver } from './receive/receiver.ts';
import type { Room } from './rooms/room.ts';
import { Rooms } from './rooms/rooms.ts';
import { Outbox } from './send/outbox.ts';
import { Unconfirmed } from './send/unconfirmed.ts';

/** Longest time for resuming a lost session just to end it, ms. */
const RECLAIM_MS = 3_000;
/** Stanzas of this size are always received, bytes: servers accept larger ones from each other than from a client. */
const LEAST_RECEIVED = 1024 * 1024;
/** Longest wait before a resumption for verdicts on stanzas of the old link, ms. */
const SETTLE_MS = 2_000;

/**
 * Our presence at the server over all links of a connection (a session of XEP-0198 outlives its links): what is received, sent
 * and joined, and the link that is up at the moment. One per connection.
 */
export class Session {
  readonly intake: Intake;
  readonly rooms: Rooms;
  readonly outbox: Outbox;
  readonly #config: XmppConfig;
  readonly #identity: Identity;
  readonly #context: AdapterContext;
  readonly #resumable = new ResumableSession();
  readonly #unconfirmed: Unconfirmed;
  readonly #receiver: Receiver;
  readonly #lost: (error: MagpieError) => void;
  /** The same for every login, so that a new session replaces the old one. */
  readonly #resource: string;
  readonly #clients: OtherClients;
  readonly #book: ContactBook;
  readonly #paced: Paced;
  /** Set for a component. */
  readonly #contacts: Contacts | undefined;
  #link: Link | undefined;
  /** Whether one-to-one messages are received. */
  #receiving = false;
  /** Whether the server sends us copies of messages to other clients of our account. */
  #copies = false;
  #clientStatus: string | undefined;

  /** @param lost called once per link when it is lost, possibly during `establish`. */
  constructor(config: XmppConfig, context: AdapterContext, lost: (error: MagpieError) => void) {
    this.#config = config;
    this.#identity = identityOf(config, context.gatewayId);
    this.#context = context;
    this.#lost = lost;
    // Random per process: a restarted gateway must not compete with its old session for a resource.
    this.#resource = config.resource ?? `${context.gatewayId}-${randomBytes(4).toString('hex')}`;
    const link = (): Link | undefined => this.#link;
    const unconfirmed = new Unconfirmed(context.clock);
    const rooms = new Rooms({
      config,
      context,
      link,
      left: (room, reason) =>
        unconfirmed.settleAll(new Unknown(`${reason} before it echoed the message`).concerning('place'), room),
      returned: (room) => this.#reportAbsence(room),
    });
    const unavailable = (reason: string): void =>
      link()?.drop(new NotConnected(`the gateway cannot store messages now (${reason}): the server keeps them`));
    const limited = (bytes: number): void => {
      context.detail(
        'stanza size',
        `the server refused a stanza of ${bytes} bytes: set maxStanzaBytes to what it permits`,
        'trouble',
      );
    };
    this.intake = createIntake(context, { window: config.receiveWindow, unavailable });
    this.rooms = rooms;
    this.#book = new ContactBook(context.store);
    this.#paced = new Paced(context.clock, (stanza) => this.#post(stanza));
    this.#contacts = this.#makeContacts();
    const contacts = this.#contacts;
    const { identity, resumable } = { identity: this.#identity, resumable: this.#resumable };
    this.outbox = new Outbox({ config, identity, unconfirmed, rooms, resumable, link, limited, contacts });
    this.#unconfirmed = unconfirmed;
    this.#clients = new OtherClients(this.account);
    this.#receiver = new Receiver({
      account: this.account,
      rooms,
      unconfirmed,
      intake: this.intake,
      clients: this.#clients,
      contacts,
      contact: (jid) => this.#contactOf(jid),
      jid: () => this.#resumable.jid,
      clientsChanged: () => this.#tellClients(),
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
    if (!signal.aborted) this.#contacts?.sayGoodbye();
    this.forget(new NotConnected('the connection was closed'));
    await link?.close(signal);
  }

  /** Called when the link is gone: waiting sends will get no confirmation. */
  forget(reason: MagpieError): void {
    this.#link = undefined;
    this.#paced.clear();
    this.intake.hold();
    this.#context.detail('session', undefined);
    this.#unconfirmed.settleAll(lostOnTheWay(reason));
  }

  /**
   * Announces whether one-to-one messages are received: presence makes the server deliver them, a negative priority
   * makes it store them (RFC 6121 §8.5.2).
   */
  announce(link: Link, receiving: boolean): void {
    if (this.#identity.domain !== undefined) return; // Everything for its domain comes to a component.
    const priority = receiving ? this.#config.priority : -1;
    link.post(xml('presence', {}, xml('priority', {}, String(priority))));
    this.#receiving = receiving;
    this.#tellClients();
    if (receiving && !this.#copies) this.#enableCopies(link);
  }

  /** A server without XEP-0280 refuses, which is harmless. */
  #enableCopies(link: Link): void {
    const answered = (answer: Element): void => {
      this.#copies = attribute(answer, 'type') === 'result';
      this.#tellClients();
    };
    link.request('set', enableCarbons()).then(answered, () => undefined);
  }

  #tellClients(): void {
    const { priority } = this.#config;
    const status = this.#receiving ? this.#clients.status(priority, this.#copies) : undefined;
    if (status === this.#clientStatus) return;
    this.#clientStatus = status;
    this.#context.detail('one-to-one messages', status, 'trouble');
  }

  /** Reports a possible gap for our account. @param stored called once the notice is durable. */
  reportGap(why: string, stored: () => void): void {
    const origin = { from: this.account, stanzaType: 'normal', replay: false };
    this.intake.notice(possibleGap({ address: addressOf('jid', this.account), origin }, why), stored);
  }

  /** Reports a possible gap for each room that we were absent from, unless already stored. */
  reportAbsences(): void {
    for (const room of this.rooms) this.#reportAbsence(room);
  }

  #reportAbsence(room: Room): void {
    const { absence, jid } = room;
    const address = addressOf('room', jid);
    if (absence === undefined || !this.intake.covers(address)) return;
    const origin = { from: jid, room: jid, stanzaType: 'groupchat', replay: false };
    const why = `${absence}, and we are in it again: messages may be missing`;
    this.intake.notice(possibleGap({ address, origin }, why), () => room.forgetAbsence());
  }

  async #begin(link: Link): Promise<void> {
    const { logger, detail } = this.#context;
    if (!link.resumed) {
      this.rooms.reset();
      this.#clients.clear();
      this.#copies = false;
    }
    const isComponent = this.#identity.domain !== undefined;
    if (!link.managed && !isComponent)
      logger.warn({}, 'the server has no stream management (XEP-0198): received messages are at most once');
    detail('session', link.resumed ? 'resumed' : `new as ${link.jid}`);
    if (isComponent) this.#contacts?.tellAll();
    if (link.resumed || isComponent) return;
    const account = await link.request('get', discoQuery(), this.account);
    this.#receiver.accountStampsIds = announces(account, NS.stanzaId);
  }

  async #login(signal: AbortSignal): Promise<Link> {
    const { clock } = this.#context;
    const open = await this.#opener();
    if (this.#contacts) await this.#book.load();
    await this.#settled(signal);
    const options = { clock, timeout: this.#config.timeout, domain: this.#identity.domain };
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

  /** Unsettled stanzas of the old link would be delivered twice: a short wait usually settles them. */
  async #settled(signal: AbortSignal): Promise<void> {
    const { clock } = this.#context;
    const deadline = clock.monotonic() + SETTLE_MS;
    const due = (): boolean => this.#resumable.id !== undefined && this.intake.judging() > 0 && !signal.aborted;
    while (due() && clock.monotonic() < deadline) await new Promise<void>((resolve) => void clock.timeout(20, resolve));
  }

  #makeContacts(): Contacts | undefined {
    const { domain } = this.#identity;
    if (domain === undefined) return undefined;
    const { allow } = this.#config.contacts;
    return new Contacts({
      domain,
      book: this.#book,
      paced: this.#paced,
      mayFollow: (person) => allow.some((entry) => access.permits(entry, { from: person })),
      post: (stanza) => this.#post(stanza),
      failed: (error) => this.#context.logger.warn({ error: String(error) }, 'a change of contacts cannot be kept'),
    });
  }

  /** The contact that a stanza is for; what is for the domain itself is for a contact of that name. */
  #contactOf(jid: string): string | undefined {
    const { local, domain } = splitJid(bareJid(jid));
    if (domain === '' || domain !== this.#identity.domain) return undefined;
    return local === '' ? domain : this.#book.nameOf(local);
  }

  /** Sends without waiting; what is said while the link is down is said again at the next connect. */
  #post(stanza: Element): void {
    try {
      this.#link?.post(stanza);
    } catch (error) {
      this.#context.logger.debug({ error: String(error) }, 'a presence could not be sent');
    }
  }

  /** How this connection opens a stream. */
  async #opener(): Promise<(events: ClientStreamEvents, signal: AbortSignal) => Promise<XmlStream>> {
    const { url, password, secret, tls, maxStanzaBytes, maxDepth } = this.#config;
    const { local: username, domain } = splitJid(this.account);
    const endpoints = await findEndpoints(url, domain);
    const limits = { stanzaBytes: Math.max(LEAST_RECEIVED, maxStanzaBytes * 4), depth: maxDepth };
    const common = { endpoints, domain, limits, tls: await loadTls(tls, domain) };
    if (this.#identity.domain !== undefined) {
      const login = { ...common, secret: secret?.reveal() ?? '', jid: `${this.account}/${this.#resource}` };
      return (events, signal) => ComponentStream.open(login, events, signal);
    }
    const as = { username, password: password?.reveal() ?? '', resource: this.#resource };
    return (events, signal) => ClientStream.open({ ...common, ...as, tlsRequired: tls.required }, events, signal);
  }

  #linkEvents(): LinkEvents {
    return {
      stanza: (incoming) => this.#receiver.take(incoming),
      readDone: () => this.intake.flush(),
      answer: (iq) => this.#contacts?.answer(iq),
      load: () => this.intake.load(),
      lost: (error) => {
        this.forget(error);
        this.#lost(error);
      },
    };
  }
}
