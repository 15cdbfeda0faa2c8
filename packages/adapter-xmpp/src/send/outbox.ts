import { untilAborted } from '@magpie/adapter-kit';
import {
  NotConnected,
  type OutgoingEvent,
  Rejected,
  type SendReceipt,
  type TargetRequest,
  Throttled,
  TooLarge,
  throwIfAborted,
  toMagpieError,
} from '@magpie/contract';
import { type Destination, type WireStanza, wireMessage, wireOf } from '../codec/encode.ts';
import { formatJid, normalJid } from '../codec/jid.ts';
import type { SharedFile } from '../codec/shared-file.ts';
import type { PresenceState } from '../codec/stanza/presence.ts';
import type { Commands } from '../commands/commands.ts';
import type { XmppConfig } from '../config.ts';
import { goesAsFile } from '../files/file-facts.ts';
import { Turns } from '../files/turns.ts';
import { NoUploads } from '../files/upload-service.ts';
import type { Uploads } from '../files/uploads.ts';
import { type Identity, isOwnName, senderOf } from '../identity.ts';
import type { Link } from '../link/link.ts';
import type { ResumableSession } from '../link/resumable-session.ts';
import type { Nodes } from '../nodes/nodes.ts';
import type { MovedRooms } from '../rooms/moved-rooms.ts';
import type { Rooms } from '../rooms/rooms.ts';
import type { XmppTarget } from '../route-keys.ts';
import type { StanzaLimit } from './stanza-limit.ts';
import type { Unconfirmed } from './unconfirmed.ts';

/** No confirmation could be read then, and the message would be sent again and again. */
const STOPPED = 'reading is stopped while intake is held, so a confirmation could not be read';
const STOPPED_RETRY_MS = 1000;

/** Dependencies of an outbox. */
export interface OutboxOptions {
  readonly config: Pick<XmppConfig, 'timeout'>;
  readonly identity: Identity;
  readonly unconfirmed: Unconfirmed;
  readonly rooms: Rooms;
  readonly uploads: Uploads;
  readonly nodes: Pick<Nodes, 'publish'>;
  readonly commands: Pick<Commands, 'result' | 'ended'>;
  /** A contact is so from now on; durable when it resolves. Rejects with `Rejected` for one that is not ours. */
  setPresence(name: string, presence: PresenceState): Promise<void>;
  readonly resumable: ResumableSession;
  /** The link while it is up. */
  link(): Link | undefined;
  /** Where an address is written to, of a room that has moved. */
  readonly moved: Pick<MovedRooms, 'outgoing'>;
  readonly limit: StanzaLimit;
}

/** How a body goes out: in the stanza, as the file behind a link, or in the stanza for want of a service. */
type Carried = SharedFile | NoUploads | undefined;

/** A character of XML at its longest escaping, and what else an element needs for the headers and names it may have. */
const ESCAPED = 6;
const AROUND = 64 * 1024;

/** Sends messages and waits for their confirmations. One per connection. */
export class Outbox {
  readonly #options: OutboxOptions;
  readonly #turns = new Turns();

  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  /**
   * Sends one message and waits for its confirmation: the room's echo, or the server's acknowledgement. Rejects with
   * `Throttled` while reading is stopped.
   */
  async send(
    event: OutgoingEvent,
    { address, options }: TargetRequest<XmppTarget>,
    signal: AbortSignal,
  ): Promise<SendReceipt> {
    if (this.#options.link()?.paused) throw new Throttled(STOPPED, STOPPED_RETRY_MS);
    if (address.scheme === 'contact') return this.#presence(address.segments[0] ?? '', options.presence, signal);
    throwIfAborted(signal);
    if (address.scheme === 'node') {
      const [service = '', node = ''] = address.segments;
      return this.#options.nodes.publish({ service: normalJid(service), node }, event, options.item, signal);
    }
    const [local = '', domain = '', resource] = address.segments;
    const to = normalJid(formatJid({ local, domain, ...(resource === undefined ? {} : { resource }) }));
    const { refers, jsonContainer } = options;
    const destination: Destination =
      address.scheme === 'room'
        ? { to, type: 'groupchat', refers, jsonContainer, ...this.#from() }
        : { to, type: 'chat', refers, jsonContainer, ...this.#from(options.from) };
    const result = this.#commandResult(event, to, options.session);
    if (result) return this.#endCommand(result, destination, options.session ?? '', signal);
    const go = (carried?: Carried): Promise<SendReceipt> => this.#sendTo(destination, event, carried, signal);
    const asFile = refers?.reaction === undefined && this.#goesAsFile(event, destination, options.upload);
    if (!asFile && !this.#turns.isBusy(to)) return go();
    return this.#turns.take(to, signal, () => this.#carry(event, asFile, signal), go);
  }

  async #carry(event: OutgoingEvent, asFile: boolean, signal: AbortSignal): Promise<Carried> {
    return asFile ? this.#options.uploads.upload(this.#live(), event, signal) : undefined;
  }

  async #sendTo(
    destination: Destination,
    event: OutgoingEvent,
    carried: Carried,
    signal: AbortSignal,
  ): Promise<SendReceipt> {
    const message = this.#sized(event, destination, carried);
    const send = destination.type === 'groupchat' ? this.#toRoom : this.#toJid;
    try {
      const receipt = await send.call(this, message, destination, signal);
      if (carried) this.#options.uploads.forget(event.delivery);
      return receipt;
    } catch (error) {
      if (carried && !toMagpieError(error).retryable) this.#options.uploads.forget(event.delivery);
      throw error;
    }
  }

  async #toRoom(message: WireStanza, destination: Destination, signal: AbortSignal): Promise<SendReceipt> {
    const { rooms, unconfirmed, resumable, config } = this.#options;
    const room = destination.to;
    this.#live();
    // The join continues for others when this send is cancelled.
    if (!rooms.use(room)) await untilAborted(rooms.enter(room), signal, 'cancelled while joining the room');
    const link = this.#live();
    // The echo of an earlier attempt may have arrived after that attempt ended.
    if (unconfirmed.confirmed(message.id)) return { confirmedBy: 'echo' };
    const echo = unconfirmed.wait(message.id, destination, signal);
    const taken = (): void => unconfirmed.expectWithin(message.id, config.timeout);
    // A stanza that the server received before the link was lost will be echoed: sending it again would duplicate it.
    if (resumable.outbound.confirmed(message.id)) taken();
    else this.#handOver(link, message, taken);
    await echo;
    return { confirmedBy: 'echo' };
  }

  async #toJid(message: WireStanza, destination: Destination, signal: AbortSignal): Promise<SendReceipt> {
    const { unconfirmed, resumable } = this.#options;
    const link = this.#live();
    if (resumable.outbound.confirmed(message.id)) return { confirmedBy: 'stream-ack' };
    const outcome = unconfirmed.wait(message.id, destination, signal);
    this.#handOver(link, message, () => unconfirmed.settle(message.id));
    await outcome;
    return { confirmedBy: link.managed ? 'stream-ack' : 'server-answer' };
  }

  /** What ends a running command, if that can be said in one stanza. */
  #commandResult(event: OutgoingEvent, to: string, session: string | undefined): WireStanza | undefined {
    if (session === undefined) return undefined;
    this.#live();
    const iq = this.#options.commands.result(session, to, event);
    return iq && wireOf(iq, event.delivery);
  }

  async #endCommand(
    result: WireStanza,
    destination: Destination,
    session: string,
    signal: AbortSignal,
  ): Promise<SendReceipt> {
    const receipt = await this.#toJid(result, destination, signal);
    this.#options.commands.ended(session);
    return receipt;
  }

  /** A contact is so from now on. Confirmed when that is on disk, and the server has what tells its followers. */
  async #presence(name: string, presence: XmppTarget['presence'], signal: AbortSignal): Promise<SendReceipt> {
    throwIfAborted(signal);
    if (!presence) throw new Rejected('expected "presence" beside "contact": a contact is sent nothing else');
    const link = this.#live();
    await this.#options.setPresence(name, presence);
    await link.ping(signal);
    return { confirmedBy: 'server-answer' };
  }

  /** A component says on each message which of its addresses it comes from. */
  #from(sender?: string): Pick<Destination, 'from'> {
    const { identity, resumable } = this.#options;
    const isOwn = sender === undefined || (identity.domain === undefined && isOwnName(sender, identity.account));
    if (!isOwn) return { from: senderOf(identity, sender) };
    return identity.domain === undefined ? {} : { from: resumable.jid };
  }

  /** Gives a message to the server, which may be slow to take it. A failure settles its send. */
  #handOver(link: Link, message: WireStanza, taken: () => void): void {
    const { unconfirmed } = this.#options;
    try {
      link.deliver(message, (error) => {
        if (error instanceof TooLarge) this.#options.limit.refused(message.bytes);
        if (error) unconfirmed.settle(message.id, error);
        else taken();
      });
    } catch (error) {
      unconfirmed.settle(message.id, toMagpieError(error));
    }
  }

  /** Whether a body is to be uploaded: because it is no text for people, or because its stanza would be too large. */
  #goesAsFile(event: OutgoingEvent, destination: Destination, rule: XmppTarget['upload'] = 'auto'): boolean {
    if (goesAsFile(event, rule)) return true;
    const limit = this.#options.limit.largest;
    if (rule === 'never' || event.body.byteLength * ESCAPED + AROUND < limit) return false;
    return event.body.byteLength > 0 && wireMessage(event, destination).bytes > limit;
  }

  /** The stanza, unless it is larger than the server permits: that would cost the whole stream. */
  #sized(event: OutgoingEvent, destination: Destination, carried: Carried): WireStanza {
    const { limit, moved } = this.#options;
    const [file, none] = carried instanceof NoUploads ? [undefined, carried] : [carried, undefined];
    const message = wireMessage(event, { ...destination, to: moved.outgoing(destination.to) }, file);
    if (message.bytes <= limit.largest) return message;
    throw limit.refusal(message.bytes, none ? `; and it cannot go as a file: ${none.reason}` : '');
  }

  /** The link. Throws `NotConnected` at once without one: nothing is queued. */
  #live(): Link {
    const link = this.#options.link();
    if (!link) throw new NotConnected('the link is down');
    return link;
  }
}
