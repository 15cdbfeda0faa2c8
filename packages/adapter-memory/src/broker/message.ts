import type { MessageParts } from '@magpie/contract';

/** Metadata of a message; a link configured with `metadata: false` carries none. */
export type MemoryProperties = Partial<Omit<MessageParts, 'body' | 'retain'>>;

/** A message of this protocol, as a packet is of MQTT or a frame of AMQP. */
export interface MemoryMessage {
  /** The channel as text, with `/` between segments. */
  readonly channel: string;
  readonly body: Uint8Array;
  /** Whether the broker keeps it as the last value of its channel, or delivers it as such. */
  readonly retain: boolean;
  /** Client id of the publisher; empty for one published through the broker's handle. */
  readonly sender: string;
  readonly properties: MemoryProperties;
}

/** A message on its way to one client. The number is unique within the broker and the same on every redelivery. */
export interface MemoryDelivery {
  readonly number: number;
  readonly message: MemoryMessage;
  readonly redelivered: boolean;
}
