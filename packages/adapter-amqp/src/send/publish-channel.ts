import type { ConfirmChannel } from 'amqplib';
import { RESERVED } from '../codec/reserved.ts';
import type { Link } from '../link/link.ts';
import { ConfirmReader, type TakeConfirmation } from '../wire/confirm-reader.ts';
import { channelNumber } from '../wire/library.ts';
import type { SentPlace } from './unconfirmed.ts';

/** The confirm channel of a link, rebuilt when the broker closes it. */
export interface PublishChannel {
  /** Opens it. Rejects with the library's error. */
  open(): Promise<void>;
  /** The number of the channel, or undefined while it is being rebuilt. */
  current(): number | undefined;
  /** The link is gone. */
  drop(): void;
}

/** Callbacks of the channel. */
export interface PublishChannelEvents {
  /** Called when a new channel is open; the broker counts its messages from 1. */
  opened(): void;
  readonly confirmed: TakeConfirmation;
  /** Called when the broker has closed the channel; a new one is being opened. */
  broken(error: unknown): void;
  /** The message was returned by the broker: it reached no queue. */
  returned(place: SentPlace): void;
}

/** One per publishing link; nothing is opened before `open`. */
export function createPublishChannel(link: Link, events: PublishChannelEvents): PublishChannel {
  let current: number | undefined;
  const open = async (): Promise<void> => {
    const channel = await link.model.createConfirmChannel();
    const number = channelNumber(channel);
    channel.on('error', (error) => {
      current = undefined;
      // Must be written before the library's answer, up to which the broker ignores everything.
      link.outgoing.flush();
      events.broken(error);
      // Fails only together with the link; otherwise the link is cut, as it could not publish.
      if (link.alive()) open().catch(link.cut);
    });
    channel.on('close', () => {
      current = undefined;
      link.inbound.detach(number);
    });
    tellReturned(channel, events);
    link.inbound.attach(number, new ConfirmReader(events.confirmed));
    events.opened();
    current = number;
  };
  return {
    open,
    current: () => current,
    drop() {
      current = undefined;
    },
  };
}

function tellReturned(channel: ConfirmChannel, { returned }: PublishChannelEvents): void {
  channel.on('return', ({ fields: { exchange, routingKey }, properties: { messageId, headers } }) => {
    const long: unknown = headers?.[RESERVED.id];
    returned({ exchange, routingKey, id: messageId ?? (typeof long === 'string' ? long : '') });
  });
}
