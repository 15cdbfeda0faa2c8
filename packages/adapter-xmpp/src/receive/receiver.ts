import { NotConnected } from '@magpie/contract';
import { originId } from '../codec/decode.ts';
import { attribute, type Element } from '../codec/element.ts';
import { bareJid } from '../codec/jid.ts';
import { stanzaError } from '../errors.ts';
import type { Incoming } from '../link/link.ts';
import type { Rooms } from '../rooms/rooms.ts';
import type { Unconfirmed } from '../send/unconfirmed.ts';
import type { Intake } from './intake.ts';
import { receivedEvent } from './to-event.ts';

/** Where received stanzas go. */
export interface ReceiverOptions {
  /** Our bare JID. */
  readonly account: string;
  readonly rooms: Rooms;
  readonly unconfirmed: Unconfirmed;
  readonly intake: Intake;
}

/** The way of messages and presences in: presence moves rooms, echoes and refusals settle sends, the rest may be an event. */
export class Receiver {
  /** Our server stamps stanza ids that may be believed. */
  accountStampsIds = false;
  readonly #options: ReceiverOptions;

  constructor(options: ReceiverOptions) {
    this.#options = options;
  }

  /** Takes a message or presence of the link. */
  take(incoming: Incoming): void {
    const { rooms, intake } = this.#options;
    const element = incoming.stanza;
    if (element.name === 'presence') rooms.presence(element);
    const event = element.name === 'message' && !this.#confirms(element) ? this.#event(incoming) : undefined;
    if (event) intake.take(incoming, event);
    else incoming.finish();
  }

  #event(incoming: Incoming): ReturnType<typeof receivedEvent> {
    const { account, rooms } = this.#options;
    const room = (jid: string): ReturnType<Rooms['get']> => rooms.get(jid);
    return receivedEvent(incoming, { account, accountStampsIds: this.accountStampsIds, room });
  }

  /** Whether a message is about one of ours: the room's echo of it, or its refusal. Then it is no event. */
  #confirms(message: Element): boolean {
    const { rooms, unconfirmed } = this.#options;
    const from = attribute(message, 'from') ?? '';
    const place = bareJid(from);
    const type = attribute(message, 'type');
    const id = (type === 'error' ? undefined : originId(message)) ?? attribute(message, 'id') ?? '';
    const room = rooms.get(place);
    if (type === 'error') {
      const error = stanzaError(message);
      if (room && error instanceof NotConnected) room.expelled('the room has lost us');
      return unconfirmed.settle(id, place, error);
    }
    if (type !== 'groupchat' || from !== room?.occupantJid || !unconfirmed.knows(id, place)) return false;
    unconfirmed.settle(id, place);
    return true;
  }
}
