import { BODY_LIMITS } from '@magpie/contract';
import type { ConsumeMessage } from 'amqplib';
import type { Link } from '../link/link.ts';
import { DeliveryReader } from '../wire/delivery-reader.ts';
import { channelNumber } from '../wire/library.ts';
import { createIntake, type IntakeOptions } from './intake.ts';

/** One consuming channel from its opening to its end; after its end acknowledgements are dropped. */
export interface Tap {
  /** Stops deliveries and hands over those received, which are still acknowledged. Never rejects. */
  cancel(): Promise<void>;
  /** Resolves when every delivery has a verdict. */
  settled(): Promise<void>;
  /** Closes the channel: the broker takes back unacknowledged messages. Never rejects. */
  close(): Promise<void>;
}

/** Queue and callbacks of one consuming channel. */
export interface TapOptions
  extends Pick<IntakeOptions, 'queue' | 'uniqueIds' | 'now' | 'sink' | 'whenTooLarge' | 'refused'> {
  readonly prefetch: number;
  readonly consumerTag: string;
  /** Messages have been acknowledged. */
  progress(): void;
  /** Called when the channel has ended; at most once, not after `close`, possibly before `openTap` resolves. */
  ended(reason: TapEnd): void;
}

/** Why a channel ended: by the broker, or because the gateway could not store a message. */
export type TapEnd =
  | { readonly type: 'broker'; readonly error: unknown }
  | { readonly type: 'unavailable'; readonly reason: string };

/** What of a link is used. */
type TapLink = Pick<Link, 'model' | 'inbound' | 'outgoing'>;

/** Opens a channel and consumes a queue. Rejects with the library's error when the broker refuses. */
export async function openTap({ model, inbound, outgoing }: TapLink, options: TapOptions): Promise<Tap> {
  const channel = await model.createChannel();
  const number = channelNumber(channel);
  let open = true;
  let failure: unknown;
  const intake = createIntake({
    ...options,
    acknowledge(upTo) {
      if (!open) return;
      outgoing.acknowledge(number, upTo);
      options.progress();
    },
    acknowledgeOne(tag) {
      if (!open) return;
      outgoing.flush();
      channel.ack(named(tag));
      options.progress();
    },
    reject(tag) {
      if (!open) return;
      outgoing.flush();
      channel.reject(named(tag), false);
    },
    unavailable: (reason) => end({ type: 'unavailable', reason }),
  });
  const end = (reason: TapEnd): void => {
    if (!open) return;
    open = false;
    intake.stop();
    options.ended(reason);
  };
  channel.on('error', (error) => {
    failure = error;
    outgoing.flush(); // Must be written before the library's answer, up to which the broker ignores everything.
  });
  channel.on('close', () => {
    inbound.detach(number);
    end({ type: 'broker', error: failure ?? new Error('channel closed') });
  });
  const take = (message: ConsumeMessage): void => {
    // Only streams have this header; a stream would start with new messages, and missed ones would be lost.
    if (message.properties.headers?.['x-stream-offset'] !== undefined)
      end({ type: 'broker', error: new Error(STREAM) });
    else intake.take(message);
  };
  const limit = { bytes: BODY_LIMITS.max, skipped: intake.tooLarge };
  inbound.attach(number, new DeliveryReader(options.consumerTag, take, limit));
  await channel.prefetch(options.prefetch, false);
  const { consumerTag } = await channel.consume(
    options.queue,
    () => end({ type: 'broker', error: cancelled(options.queue) }), // The library must see no messages.
    { consumerTag: options.consumerTag, arguments: NO_STREAM },
  );
  return {
    async cancel() {
      await quietly(channel.cancel.bind(channel, consumerTag));
      intake.flush();
    },
    settled: intake.settled,
    close() {
      open = false;
      intake.stop();
      outgoing.flush(); // An acknowledgement after closing would be an error.
      return quietly(channel.close.bind(channel));
    },
  };
}

/**
 * The default priority, which changes nothing for a queue but which RabbitMQ refuses for a stream: a stream would start
 * with new messages, and those received while the gateway was down would be lost.
 */
const NO_STREAM = { 'x-priority': 0 };
const STREAM = 'the queue is a stream: queue type rabbit_stream_queue';

/** The fields of a message that the library needs to settle it. */
const named = (deliveryTag: number): ConsumeMessage => ({
  content: Buffer.alloc(0),
  fields: { deliveryTag, consumerTag: '', exchange: '', routingKey: '', redelivered: false },
  properties: NO_PROPERTIES,
});
const NO_PROPERTIES: ConsumeMessage['properties'] = {
  contentType: undefined,
  contentEncoding: undefined,
  headers: undefined,
  deliveryMode: undefined,
  priority: undefined,
  correlationId: undefined,
  replyTo: undefined,
  expiration: undefined,
  messageId: undefined,
  timestamp: undefined,
  type: undefined,
  userId: undefined,
  appId: undefined,
  clusterId: undefined,
};

/** A deleted queue has the same status whether it was deleted before or during consumption. */
const cancelled = (queue: string): Error =>
  Object.assign(new Error(`the broker cancelled the consumer: queue '${queue}' was deleted or moved`), { code: 404 });

/** Runs an operation that can fail only because the channel is closed already. */
async function quietly(operation: () => Promise<unknown>): Promise<void> {
  try {
    await operation();
  } catch {
    // Already closed.
  }
}
