import type { ReceivedEvent } from '@magpie/contract';
import type { CatchUp } from '../archive/catch-up.ts';
import type { Archived } from '../archive/query.ts';
import { copiedMessage, isCopy } from '../codec/carbons.ts';
import { classify, originId, receiptFor, receiptOf, stanzaIdBy } from '../codec/decode.ts';
import { bareJid, resourceOf } from '../codec/jid.ts';
import { attribute, type Element } from '../codec/stanza/element.ts';
import { errorMessageTo } from '../codec/stanza/iq.ts';
import type { XmppConfig } from '../config.ts';
import type { Contacts } from '../contacts/contacts.ts';
import { absenceOf, isVoiceless, stanzaError } from '../errors.ts';
import type { Incoming } from '../link/link.ts';
import type { Nodes } from '../nodes/nodes.ts';
import type { AccountPresence } from '../presence/account-presence.ts';
import { saysHowSomebodyIs, type WhoIsThere } from '../presence/who-is-there.ts';
import type { Room } from '../rooms/room.ts';
import type { Rooms } from '../rooms/rooms.ts';
import type { Unconfirmed } from '../send/unconfirmed.ts';
import type { Intake } from './intake.ts';
import { believer } from './reply-address.ts';
import { archivedEvent, receivedEvent, type Surroundings } from './to-event.ts';

/** Dependencies of a receiver. */
export interface ReceiverOptions {
  /** Our bare JID. */
  readonly account: string;
  readonly rooms: Rooms;
  readonly unconfirmed: Unconfirmed;
  readonly catchUp: CatchUp;
  readonly nodes: Pick<Nodes, 'take'>;
  readonly intake: Pick<Intake, 'isQuiet'>;
  /** When who asks for a receipt gets it. */
  readonly receipts: XmppConfig['receipts'];
  /** Who may name a third party as the reply address. */
  readonly acceptReplyTo: XmppConfig['acceptReplyTo'];
  /** Set for an account. */
  readonly presence: AccountPresence | undefined;
  /** Set for a component. */
  readonly contacts: Contacts | undefined;
  readonly whoIsThere: WhoIsThere;
  /** See `Surroundings`. */
  contact(jid: string): string | undefined;
  /** Our full JID. */
  jid(): string;
  /** Counts for metrics. */
  count(counter: string): void;
  /** Sends without waiting. */
  post(stanza: Element): void;
}

/**
 * Dispatches received messages and presences: presence updates rooms, echoes and refusals settle sends, other messages
 * may become events.
 */
export class Receiver {
  /** Whether our server stamps trustworthy stanza ids. */
  accountStampsIds = false;
  /** Whether the session is a new one, before which we were away. */
  wasAway = true;
  readonly #options: ReceiverOptions;
  readonly #believes: Surroundings['believes'];

  constructor(options: ReceiverOptions) {
    this.#options = options;
    this.#believes = believer(options.acceptReplyTo);
  }

  /** Takes a message or presence of the link. */
  take(incoming: Incoming): void {
    const { catchUp } = this.#options;
    const { stanza, finish, leave } = incoming;
    if (stanza.name === 'presence') {
      this.#presence(incoming);
      return;
    }
    if (catchUp.hears(stanza)) {
      finish();
      return;
    }
    if (this.#options.nodes.take(incoming)) return;
    const event = this.#message(incoming);
    if (!event) {
      catchUp.passed(stanza);
      finish();
    } else if (this.#isTooLate(stanza, event)) finish();
    else if (leave) leave();
    else {
      const stored = this.#receipt(stanza);
      const awaits = stored !== undefined && this.#options.receipts === 'delivered';
      catchUp.take({ ...incoming, stored }, awaits ? { ...event, awaitsDelivery: true } : event);
    }
  }

  /** The event of a message in an archive, see `archivedEvent`. */
  archived(by: string, archived: Archived): ReceivedEvent | undefined {
    return archivedEvent(by, archived, this.#surroundings());
  }

  /**
   * Before a component's goodbye nothing is taken in any more, and the server keeps nothing for it: whoever writes to it then is
   * told, as they are by the server afterwards.
   */
  #isTooLate(message: Element, { address }: ReceivedEvent): boolean {
    const { contacts, intake, post } = this.#options;
    if (!contacts || !intake.isQuiet()) return false;
    if (address.scheme === 'contact') post(errorMessageTo(message, 'wait', 'recipient-unavailable'));
    return true;
  }

  /** What tells a sender who has asked for it that the gateway has the message. A room and other clients' messages get none. */
  #receipt(message: Element): (() => void) | undefined {
    const receipt = isCopy(message, this.#options.account) ? undefined : receiptFor(message);
    if (!receipt) return undefined;
    // A contact answers for itself.
    if (this.#options.contacts) receipt.attrs.from = attribute(message, 'to');
    return () => this.#options.post(receipt);
  }

  #presence(incoming: Incoming): void {
    const { stanza, finish } = incoming;
    const { rooms, account, contacts, presence, whoIsThere, jid } = this.#options;
    const from = attribute(stanza, 'from') ?? '';
    const room = rooms.get(bareJid(from));
    if (room) rooms.presence(stanza);
    const isTaken = room === undefined && (contacts?.take(stanza) === true || presence?.take(stanza, jid()) === true);
    // ejabberd sends a presence of the room itself, which is nobody's.
    const isNobody = room ? from === room.occupantJid || resourceOf(from) === undefined : bareJid(from) === account;
    if (isTaken || isNobody || !saysHowSomebodyIs(stanza)) finish();
    else whoIsThere.take(incoming, room !== undefined);
  }

  /**
   * The event of a message, unless it settles a send of ours. A message about one of ours counts only if ours was sent
   * to its sender: anyone can write to us.
   */
  #message(incoming: Incoming): ReceivedEvent | undefined {
    const { stanza } = incoming;
    const { unconfirmed, count, account } = this.#options;
    if (isCopy(stanza, account)) return this.#copy(incoming);
    const from = attribute(stanza, 'from') ?? '';
    const kind = classify(stanza);
    if (kind === 'receipt' && !unconfirmed.reached(receiptOf(stanza) ?? '', from)) {
      count('received-unrelated');
      return undefined;
    }
    if (kind === 'error') return this.#refused(incoming, attribute(stanza, 'id') ?? '', from);
    return this.#echoed(stanza, from) ? undefined : this.#event(incoming);
  }

  /** Notices about messages of another client do not concern us. */
  #copy(incoming: Incoming): ReceivedEvent | undefined {
    const stanza = copiedMessage(incoming.stanza);
    if (!stanza || classify(stanza) !== 'content') return undefined;
    const event = this.#event({ ...incoming, stanza });
    return event && { ...event, origin: { ...event.origin, copied: true } };
  }

  /** A refusal after the confirmation becomes an event; one that means we are not in a room does not. */
  #refused(incoming: Incoming, id: string, from: string): ReceivedEvent | undefined {
    const { rooms, unconfirmed, count } = this.#options;
    if (incoming.repeated && unconfirmed.refused(id)) return undefined;
    if (!unconfirmed.answers(id, from)) {
      count('received-unrelated');
      return undefined;
    }
    const room = unconfirmed.wentTo(id, from) ? rooms.get(bareJid(from)) : undefined;
    const error = stanzaError(incoming.stanza, room !== undefined);
    const absent = room && absenceOf(incoming.stanza);
    const settled = unconfirmed.settle(id, error);
    if (absent !== undefined) room?.lost(absent);
    if (isVoiceless(incoming.stanza)) room?.silenced();
    return settled || absent !== undefined ? undefined : this.#event(incoming);
  }

  /** Whether a message is the room's echo of one of ours: our id, from our place in the room. */
  #echoed(message: Element, from: string): boolean {
    const { rooms, unconfirmed } = this.#options;
    const id = originId(message) ?? attribute(message, 'id') ?? '';
    const room = rooms.get(bareJid(from));
    if (attribute(message, 'type') !== 'groupchat' || from !== room?.occupantJid) return false;
    if (!unconfirmed.wentTo(id, room.jid)) return false;
    unconfirmed.settle(id);
    const stamp = room.stampsIds ? stanzaIdBy(message, room.jid) : undefined;
    if (stamp !== undefined) unconfirmed.stamped(id, stamp);
    return true;
  }

  #event(incoming: Incoming): ReceivedEvent | undefined {
    return receivedEvent(incoming, this.#surroundings());
  }

  #surroundings(): Surroundings {
    const { account, rooms, contact, unconfirmed } = this.#options;
    const room = (jid: string): Room | undefined => rooms.get(jid);
    const deliveryOf = (id: string): string | undefined => unconfirmed.deliveryOf(id);
    const { accountStampsIds, wasAway } = this;
    return { account, accountStampsIds, wasAway, room, contact, deliveryOf, believes: this.#believes };
  }
}
