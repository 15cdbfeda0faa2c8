import type { ConfirmChannel } from 'amqplib';
import type { Link } from './link.ts';
import { RESERVED } from './reserved.ts';

/** The confirm channel of a link, rebuilt when the broker closes it. */
export interface PublishChannel {
  /** Opens it. Rejects with the library's error. */
  open(): Promise<void>;
  /** The channel, or undefined while it is being rebuilt. */
  current(): ConfirmChannel | undefined;
  /** The link is gone. */
  drop(): void;
}

/** Who hears about the channel. */
export interface PublishChannelEvents {
  /** The broker has closed the channel; a new one is being opened. */
  broken(error: unknown): void;
  /** The broker has returned the message of this send: no queue took it. */
  returned(send: string | undefined): void;
}

/** One per publishing link; nothing is opened before `open`. */
export function createPublishChannel(link: Link, events: PublishChannelEvents): PublishChannel {
  let channel: ConfirmChannel | undefined;
  const open = async (): Promise<void> => {
    const opened = await link.model.createConfirmChannel();
    opened.on('error', (error) => {
      channel = undefined;
      events.broken(error);
      // Fails only together with the link; if it should not, a link that cannot publish is of no use.
      if (link.alive()) open().catch(link.cut);
    });
    opened.on('return', ({ properties }) => {
      const send: unknown = properties.headers?.[RESERVED.send];
      events.returned(typeof send === 'string' ? send : undefined);
    });
    channel = opened;
  };
  return {
    open,
    current: () => channel,
    drop() {
      channel = undefined;
    },
  };
}
