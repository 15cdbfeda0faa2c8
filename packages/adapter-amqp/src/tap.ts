import { errorMessage, type Sink, type Verdict } from '@magpie/contract';
import type { Channel, ChannelModel, ConsumeMessage, Message } from 'amqplib';
import { decode } from './decode.ts';
import { createAckLedger } from './ledger.ts';

/** One consuming channel from its opening to its end; acknowledgements of an ended one go nowhere. */
export interface Tap {
  /** Stops deliveries; what has been delivered is still acknowledged. Never rejects. */
  cancel(): Promise<void>;
  /** Resolves when everything delivered has a verdict. */
  settled(): Promise<void>;
  /** Closes the channel: the broker takes back what is unacknowledged. Never rejects. */
  close(): Promise<void>;
}

export interface TapOptions {
  readonly queue: string;
  readonly prefetch: number;
  readonly uniqueIds: boolean;
  readonly consumerTag: string;
  readonly now: () => number;
  readonly sink: Sink;
  /** Messages have been acknowledged. */
  progress(): void;
  /** The channel is of no more use; once, not after `close`. `unavailable`: a message could not be stored. */
  ended(reason: TapEnd): void;
}

/** Why a tap ended: by the broker, or because the gateway could not store a message. */
export type TapEnd =
  | { readonly type: 'broker'; readonly error: unknown }
  | { readonly type: 'unavailable'; readonly reason: string };

/** A verdict for each message of a batch, in order. */
interface Judged {
  readonly messages: readonly ConsumeMessage[];
  readonly verdicts: readonly Verdict[];
}

const EMPTY = Buffer.alloc(0);

/**
 * Opens a channel and consumes a queue. Rejects with the library's error when the broker refuses. Messages of one loop
 * turn go to the sink as one batch, so that one commit and one acknowledgement serve them all.
 */
export async function openTap(model: ChannelModel, options: TapOptions): Promise<Tap> {
  const channel = await model.createChannel();
  const ledger = createAckLedger();
  let open = true;
  let failure: unknown;
  let batch: ConsumeMessage[] = [];
  let outstanding = 0;
  let drained = Promise.withResolvers<void>();
  drained.resolve();

  const end = (reason: TapEnd): void => {
    if (!open) return;
    open = false;
    drained.resolve();
    options.ended(reason);
  };
  channel.on('error', (error) => {
    failure = error;
  });
  channel.on('close', () => end({ type: 'broker', error: failure ?? new Error('channel closed') }));

  const settle = ({ messages, verdicts }: Judged): void => {
    if (!open) return;
    const refusal = judge(messages, verdicts, ledger);
    outstanding -= messages.length;
    if (acknowledge(channel, ledger.advance())) options.progress();
    if (outstanding === 0) drained.resolve();
    if (refusal !== undefined) end({ type: 'unavailable', reason: refusal });
  };
  const flush = (): void => {
    const messages = batch;
    batch = [];
    if (!open) return;
    const now = options.now();
    const events = messages.map((message) =>
      decode(message, { queue: options.queue, now, uniqueIds: options.uniqueIds }),
    );
    options.sink(events).then(
      (verdicts) => settle({ messages, verdicts }),
      (error: unknown) => settle({ messages, verdicts: messages.map(() => unavailable(error)) }),
    );
  };
  const deliver = (message: ConsumeMessage | null): void => {
    if (!message) {
      end({ type: 'broker', error: cancelled(options.queue) });
      return;
    }
    if (outstanding === 0) drained = Promise.withResolvers<void>();
    outstanding += 1;
    if (batch.push(message) === 1) setImmediate(flush);
  };

  await channel.prefetch(options.prefetch, false);
  const { consumerTag } = await channel.consume(options.queue, deliver, { consumerTag: options.consumerTag });
  return {
    cancel: () => quietly(channel.cancel.bind(channel, consumerTag)),
    settled: () => drained.promise,
    close() {
      open = false;
      drained.resolve();
      return quietly(channel.close.bind(channel));
    },
  };
}

/** Enters verdicts into the ledger; the reason of the first `unavailable`. */
function judge(
  messages: readonly ConsumeMessage[],
  verdicts: readonly Verdict[],
  ledger: ReturnType<typeof createAckLedger>,
): string | undefined {
  let refusal: string | undefined;
  for (const [index, { fields }] of messages.entries()) {
    const verdict = verdicts[index] ?? unavailable('no verdict was given');
    if (verdict.type !== 'unavailable') ledger.settle(fields.deliveryTag);
    else {
      ledger.hold(fields.deliveryTag);
      refusal ??= verdict.reason;
    }
  }
  return refusal;
}

const unavailable = (error: unknown): Verdict => ({ type: 'unavailable', reason: errorMessage(error) });

/** The reply code of a passive check of a queue that is gone, so that both look the same in the status. */
const cancelled = (queue: string): Error =>
  Object.assign(new Error(`the broker cancelled the consumer: queue '${queue}' was deleted or moved`), { code: 404 });

function acknowledge(channel: Channel, deliveryTag: number | undefined): boolean {
  if (deliveryTag === undefined) return false;
  try {
    channel.ack(tagged(deliveryTag), true);
    return true;
  } catch {
    return false; // The channel has just closed: the broker delivers again what it has no acknowledgement for.
  }
}

/** amqplib acknowledges messages, of which it reads the tag only. */
const tagged = (deliveryTag: number): Message => ({
  content: EMPTY,
  fields: { deliveryTag, redelivered: false, exchange: '', routingKey: '' },
  properties: NO_PROPERTIES,
});

const NO_PROPERTIES: Message['properties'] = {
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

/** Runs something that may fail only because the channel is closed already. */
async function quietly(operation: () => Promise<unknown>): Promise<void> {
  try {
    await operation();
  } catch {
    // Closed already, which is what the caller wants.
  }
}
