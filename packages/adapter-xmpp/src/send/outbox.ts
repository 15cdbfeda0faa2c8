import { untilAborted } from '@magpie/adapter-kit';
import {
  NotConnected,
  type OutgoingEvent,
  type SendReceipt,
  type TargetRequest,
  Throttled,
  TooLarge,
  throwIfAborted,
  Unknown,
} from '@magpie/contract';
import type { Element } from '../codec/element.ts';
import { type Destination, encodeMessage } from '../codec/encode.ts';
import { formatJid, normalJid } from '../codec/jid.ts';
import { maxBodyBytes, type XmppConfig } from '../config.ts';
import type { Link } from '../link/link.ts';
import type { ResumableSession } from '../link/resumable-session.ts';
import type { Rooms } from '../rooms/rooms.ts';
import type { Unconfirmed } from './unconfirmed.ts';

/** No confirmation can be read then, and without one the message would go out again and again. */
const STOPPED = 'reading is stopped while the gateway takes nothing in: a confirmation could not be read';
const STOPPED_RETRY_MS = 1000;

/** What the sends of a connection need. */
export interface OutboxOptions {
  readonly config: Pick<XmppConfig, 'timeout' | 'maxStanzaBytes'>;
  readonly unconfirmed: Unconfirmed;
  readonly rooms: Rooms;
  readonly resumable: ResumableSession;
  /** The link while it is up. */
  link(): Link | undefined;
}

/** The way of messages out, until they are confirmed. One per connection. */
export class Outbox {
  readonly #options: OutboxOptions;

  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  /**
   * Sends one message and waits for its confirmation: the room's echo, or the server's acknowledgement. Rejects with
   * `Throttled` while reading is stopped.
   */
  send(event: OutgoingEvent, { address }: TargetRequest, signal: AbortSignal): Promise<SendReceipt> {
    if (this.#options.link()?.paused) return Promise.reject(new Throttled(STOPPED, STOPPED_RETRY_MS));
    const [local = '', domain = '', resource] = address.segments;
    const to = normalJid(formatJid({ local, domain, ...(resource === undefined ? {} : { resource }) }));
    return address.scheme === 'room' ? this.#toRoom(event, to, signal) : this.#toJid(event, to, signal);
  }

  async #toRoom(event: OutgoingEvent, room: string, signal: AbortSignal): Promise<SendReceipt> {
    throwIfAborted(signal);
    const { rooms, unconfirmed, config } = this.#options;
    const destination = { to: room, type: 'groupchat' } as const;
    const message = this.#sized(event, destination);
    this.#live();
    // The join goes on for others when this send is cancelled.
    if (!rooms.get(room)?.joined) await untilAborted(rooms.enter(room), signal, 'cancelled while joining the room');
    const link = this.#live();
    const id = event.delivery;
    // The echo of an earlier attempt may have come after that attempt was given up.
    if (!unconfirmed.confirmed(id)) {
      link.post(message);
      await unconfirmed.wait(id, destination, config.timeout, signal);
    }
    return { confirmedBy: 'echo' };
  }

  async #toJid(event: OutgoingEvent, to: string, signal: AbortSignal): Promise<SendReceipt> {
    throwIfAborted(signal);
    const { unconfirmed, resumable } = this.#options;
    const destination = { to, type: 'chat' } as const;
    const message = this.#sized(event, destination);
    const link = this.#live();
    const id = event.delivery;
    if (resumable.outbound.confirmed(id)) return { confirmedBy: 'stream-ack' };
    const outcome = unconfirmed.wait(id, destination, undefined, signal);
    link.deliver(message).then(
      () => unconfirmed.settle(id),
      (error: unknown) => unconfirmed.settle(id, error instanceof Unknown ? error : new NotConnected(String(error))),
    );
    await outcome;
    return { confirmedBy: link.managed ? 'stream-ack' : 'server-answer' };
  }

  /** The stanza, unless it is larger than the server permits: that would cost the whole stream. */
  #sized(event: OutgoingEvent, destination: Destination): Element {
    const { config } = this.#options;
    const most = maxBodyBytes(config);
    const advice = 'send less, or raise maxStanzaBytes if the server permits';
    if (event.body.length > most)
      throw new TooLarge(`a body of ${event.body.length} bytes, more than ${most}: ${advice}`);
    const message = encodeMessage(event, destination);
    const bytes = Buffer.byteLength(message.toString());
    if (bytes <= config.maxStanzaBytes) return message;
    throw new TooLarge(`a stanza of ${bytes} bytes, more than maxStanzaBytes (${config.maxStanzaBytes}): ${advice}`);
  }

  /** The link, or `NotConnected` at once: nothing is ever queued. */
  #live(): Link {
    const link = this.#options.link();
    if (!link) throw new NotConnected('the link is down');
    return link;
  }
}
