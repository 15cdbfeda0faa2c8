import { randomBytes } from 'node:crypto';
import { loadTls, possibleGap } from '@magpie/adapter-kit';
import { type AdapterContext, type MagpieError, NotConnected, Unknown } from '@magpie/contract';
import { addressOf } from './codec/addresses.ts';
import { enableCarbons } from './codec/carbons.ts';
import { announces, discoQuery } from './codec/disco.ts';
import { attribute, type Element, xml } from './codec/element.ts';
import { normalJid, splitJid } from './codec/jid.ts';
import { NS } from './codec/namespaces.ts';
import type { XmppConfig } from './config.ts';
import { lostOnTheWay } from './errors.ts';
import type { LoginOptions } from './link/client-stream.ts';
import { findEndpoints } from './link/dial.ts';
import { type Link, type LinkEvents, openLink } from './link/link.ts';
import { ResumableSession } from './link/resumable-session.ts';
import { createIntake, type Intake } from './receive/intake.ts';
import { OtherClients } from './receive/other-clients.ts';
import { Receiver } from './receive/receiver.ts';
import type { Room } from './rooms/room.ts';
import { Rooms } from './rooms/rooms.ts';
import { Outbox } from './send/outbox.ts';
import { Unconfirmed } from './send/unconfirmed.ts';

/** Longest time for taking up a lost session only to end it, ms. */
const RECLAIM_MS = 3_000;
/** Longest time to wait, before a session is resumed, for verdicts on what its old link brought, ms. */
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
  readonly #context: AdapterContext;
  readonly #resumable = new ResumableSession();
  readonly #unconfirmed: Unconfirmed;
  readonly #receiver: Receiver;
  readonly #lost: (error: MagpieError) => void;
  /** The same for every login, so that a new session replaces what is left of the old one. */
  readonly #resource: string;
  readonly #clients: OtherClients;
  #link: Link | undefined;
  /** One-to-one messages are received. */
  #receiving = false;
  /** The server sends us copies of what other clients of our account get. */
  #copies = false;
  #clientStatus: string | undefined;

  /** @param lost hears that the link is lost; called once per link, also while `establish` is still busy with it. */
  constructor(config: XmppConfig, context: AdapterContext, lost: (error: MagpieError) => void) {
    this.#config = config;
    this.#context = context;
    this.#lost = lost;
    // Random per process: a restarted gateway must not fight its own ghost for a resource.
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
        `the server refuses ${bytes} bytes: set maxStanzaBytes to what it permits`,
        'trouble',
      );
    };
    this.intake = createIntake(context, { window: config.receiveWindow, unavailable });
    this.rooms = rooms;
    this.outbox = new Outbox({ config, unconfirmed, rooms, resumable: this.#resumable, link, limited });
    this.#unconfirmed = unconfirmed;
    this.#clients = new OtherClients(this.account);
    this.#receiver = new Receiver({
      account: this.account,
      rooms,
      unconfirmed,
      intake: this.intake,
      clients: this.#clients,
      jid: () => this.#resumable.jid,
      clientsChanged: () => this.#tellClients(),
      count: context.count,
    });
  }

  /** Our bare JID. */
  get account(): string {
    return normalJid(this.#config.jid);
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

  /** Logs in: takes up the lost session, or begins a new one. The signal ends the attempt. */
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

  /** Says goodbye; cuts the link when the signal fires. When it has fired already, the next login resumes the session. */
  async end(signal: AbortSignal): Promise<void> {
    const link = this.#link ?? (await this.#reclaim(signal));
    this.forget(new NotConnected('the connection was closed'));
    await link?.close(signal);
  }

  /** The link is gone: what waits for a confirmation will not get it. */
  forget(reason: MagpieError): void {
    this.#link = undefined;
    this.intake.hold();
    this.#context.detail('session', undefined);
    this.#unconfirmed.settleAll(lostOnTheWay(reason));
  }

  /**
   * Says whether one-to-one messages are received: presence makes the server deliver them to us, a negative priority makes it
   * keep them for later (RFC 6121 §8.5.2).
   */
  announce(link: Link, receiving: boolean): void {
    const priority = receiving ? this.#config.priority : -1;
    link.post(xml('presence', {}, xml('priority', {}, String(priority))));
    this.#receiving = receiving;
    this.#tellClients();
    if (receiving && !this.#copies) this.#enableCopies(link);
  }

  /** A server without XEP-0280 refuses, which changes nothing. */
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

  /**
   * Says for our account that messages may be missing.
   * @param stored called once that is durable.
   */
  reportGap(why: string, stored: () => void): void {
    const origin = { from: this.account, stanzaType: 'normal', replay: false };
    this.intake.notice(possibleGap({ address: addressOf('jid', this.account), origin }, why), stored);
  }

  /** Says for each room that we were not in for a while that messages may be missing, unless that is stored already. */
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
    if (!link.managed)
      logger.warn({}, 'the server has no stream management (XEP-0198): received messages are at most once');
    detail('session', link.resumed ? 'resumed' : `new as ${link.jid}`);
    if (link.resumed) return;
    const account = await link.request('get', discoQuery(), this.account);
    this.#receiver.accountStampsIds = announces(account, NS.stanzaId);
  }

  async #login(signal: AbortSignal): Promise<Link> {
    const { clock } = this.#context;
    const login = await this.#loginOptions();
    await this.#settled(signal);
    return openLink(login, { clock, timeout: this.#config.timeout }, this.#resumable, this.#linkEvents(), signal);
  }

  /**
   * After a lost link the server still holds our session and what it had for us. Only a goodbye makes it release that for
   * the next login at once, so the session is taken up once more. Undefined when there is none, or it cannot be.
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

  /** What the old link brought and the gateway has not settled would be delivered twice: a moment usually settles it. */
  async #settled(signal: AbortSignal): Promise<void> {
    const { clock } = this.#context;
    const deadline = clock.monotonic() + SETTLE_MS;
    const due = (): boolean => this.#resumable.id !== undefined && this.intake.judging() > 0 && !signal.aborted;
    while (due() && clock.monotonic() < deadline) await new Promise<void>((resolve) => void clock.timeout(20, resolve));
  }

  async #loginOptions(): Promise<LoginOptions> {
    const { url, jid, password, tls, maxStanzaBytes, maxDepth } = this.#config;
    const { local, domain } = splitJid(jid);
    return {
      endpoints: await findEndpoints(url, domain),
      domain,
      username: local,
      password: password.reveal(),
      resource: this.#resource,
      tls: await loadTls(tls, domain),
      tlsRequired: tls.required,
      limits: { stanzaBytes: maxStanzaBytes * 4, depth: maxDepth },
    };
  }

  #linkEvents(): LinkEvents {
    return {
      stanza: (incoming) => this.#receiver.take(incoming),
      readDone: () => this.intake.flush(),
      load: () => this.intake.load(),
      lost: (error) => {
        this.forget(error);
        this.#lost(error);
      },
    };
  }
}
