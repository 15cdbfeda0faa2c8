import { setTimeout as sleep } from 'node:timers/promises';
import { type Address, addressToText, type HeaderValue, textToAddress } from '@magpie/contract';
import type { AdapterPeer, PeerMessage } from '@magpie/testkit';
import { type ChannelModel, type ConfirmChannel, type ConsumeMessage, connect, type Options } from 'amqplib';

/** Queues of one case. */
export interface PeerQueues {
  readonly source: string;
  readonly other: string;
  readonly target: string;
}

export interface AmqpPeer extends AdapterPeer {
  /** Declares one more queue, which goes when the peer closes. */
  declare(queue: string): Promise<void>;
  close(): Promise<void>;
}

/** A client of the broker written with amqplib alone. It declares the queues, reconnects and never gives up. */
export async function amqpPeer(url: string, queues: PeerQueues): Promise<AmqpPeer> {
  const received: PeerMessage[] = [];
  const more: string[] = [];
  let closed = false;
  let link: { model: ChannelModel; channel: ConfirmChannel } | undefined;

  const open = async (): Promise<void> => {
    const model = await connect(url, { noDelay: true });
    model.on('error', () => undefined); // 'close' follows.
    model.on('close', () => {
      link = undefined;
      if (!closed) void reopen();
    });
    const channel = await model.createConfirmChannel();
    channel.on('error', () => undefined);
    for (const queue of Object.values(queues)) await channel.assertQueue(queue, { durable: true });
    await channel.consume(queues.target, (message) => {
      if (!message) return;
      received.push(fromWire(message));
      channel.ack(message);
    });
    link = { model, channel };
  };
  const reopen = async (): Promise<void> => {
    while (!closed && !link) await open().catch(() => sleep(100));
  };
  const publish = async (queue: string, message: PeerMessage): Promise<void> => {
    for (let end = Date.now() + 30_000; ; await sleep(50)) {
      try {
        if (!link) throw new Error('the peer is not connected');
        const { channel } = link;
        return await confirmed(channel, queue, message);
      } catch (error) {
        if (Date.now() > end) throw error;
      }
    }
  };
  await open();
  return {
    received: () => received,
    publish: (message, to = 'source') => publish(queues[to], message),
    async declare(queue) {
      more.push(queue);
      await link?.channel.assertQueue(queue, { durable: true });
    },
    async close() {
      closed = true;
      for (const queue of [...Object.values(queues), ...more]) await link?.channel.deleteQueue(queue);
      await link?.model.close();
    },
  };
}

function confirmed(channel: ConfirmChannel, queue: string, message: PeerMessage): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const settle = (error: unknown): void => (error ? reject(error) : resolve());
  channel.sendToQueue(queue, Buffer.from(message.body), toWire(message), settle);
  return promise;
}

const OURS = new Set(['x-reply-to', 'traceparent', 'tracestate']);

const toWire = (message: PeerMessage): Options.Publish => ({
  persistent: true,
  headers: {
    ...Object.fromEntries(message.headers ?? []),
    ...(message.via && { 'x-magpie-via': message.via }),
    ...message.trace,
    ...(message.replyTo && !isQueue(message.replyTo) && { 'x-reply-to': addressToText(message.replyTo) }),
  },
  ...(message.id === undefined ? {} : { messageId: message.id }),
  ...(message.correlationId === undefined ? {} : { correlationId: message.correlationId }),
  ...(message.replyTo && isQueue(message.replyTo) && { replyTo: message.replyTo.segments[0] }),
  ...(message.contentType === undefined ? {} : { contentType: message.contentType }),
  ...(message.expiresAt === undefined ? {} : { expiration: message.expiresAt - Date.now() }),
});

const isQueue = ({ scheme }: Address): boolean => scheme === 'queue';

function fromWire({ content, properties: p }: ConsumeMessage): PeerMessage {
  const replyTo = p.replyTo ? { scheme: 'queue', segments: [p.replyTo] } : textToAddress(p.headers?.['x-reply-to']);
  const headers: [string, HeaderValue][] = Object.entries(p.headers ?? {});
  return {
    body: content,
    id: p.messageId,
    correlationId: p.correlationId,
    contentType: p.contentType,
    ...(replyTo && { replyTo }),
    expiresAt: Date.now() + Number(p.expiration),
    via: p.headers?.['x-magpie-via'],
    trace: p.headers?.traceparent && { traceparent: p.headers.traceparent, tracestate: p.headers.tracestate },
    headers: headers.filter(([name]) => !name.startsWith('x-magpie-') && !OURS.has(name)),
  };
}
