import { setTimeout as sleep } from 'node:timers/promises';
import amqp, { type ChannelModel, type ConfirmChannel, type ConsumeMessage } from 'amqplib';
import type { Recorder, Sender } from './ends.ts';

/** Publishes to a queue with confirms. Each send opens the link again if it is lost; repeating is the caller's. */
export function amqpSender(url: string, queue: string): Sender {
  let link: Promise<Link> | undefined;
  const forget = (): void => {
    link = undefined;
  };
  return {
    send: async (_key, id) => {
      link ??= openLink(url, forget);
      const { channel, lost, returned } = await link.catch((error: unknown) => {
        forget();
        throw error;
      });
      const confirmed = new Promise<void>((resolve, reject) => {
        const options = { persistent: true, mandatory: true, correlationId: id };
        channel.sendToQueue(queue, Buffer.from(id), options, (error) => {
          // The broker confirms also what it returns, and returns it first.
          if (error || returned.delete(id)) reject(error ?? new Error(`there is no queue ${queue}`));
          else resolve();
        });
      });
      await Promise.race([confirmed, lost]);
    },
    close: async () => {
      const open = await link?.catch(() => undefined); // nothing to close when it never opened
      await open?.connection.close().catch(() => undefined); // it may have been lost meanwhile
    },
  };
}

interface Link {
  readonly connection: ChannelModel;
  readonly channel: ConfirmChannel;
  /** Rejects when the channel is gone. */
  readonly lost: Promise<never>;
  /** Correlation ids of messages that no queue took. */
  readonly returned: Set<string>;
}

async function openLink(url: string, onLost: () => void): Promise<Link> {
  const connection = await amqp.connect(url, { timeout: 5000 });
  connection.on('error', () => undefined); // 'close' follows
  const channel = await connection.createConfirmChannel();
  channel.on('error', () => undefined); // 'close' follows
  const returned = new Set<string>();
  channel.on('return', ({ properties }: ConsumeMessage) => returned.add(String(properties.correlationId)));
  const lost = new Promise<never>((_, reject) => {
    channel.on('close', () => {
      onLost();
      reject(new Error('the channel was closed'));
    });
  });
  lost.catch(() => undefined); // there may be no send at that moment
  return { connection, channel, lost, returned };
}

const RETRY_MS = 100;

/** Consumes a queue until the end of the test, opening the link again whenever it or the queue is lost. Resolves when it first consumes. */
export async function amqpReader(url: string, queue: string, record: Recorder): Promise<{ close(): Promise<void> }> {
  let closed = false;
  let current: Link | undefined;
  const first = Promise.withResolvers<void>();
  const loop = async (): Promise<void> => {
    while (!closed) {
      await consumeOnce(url, queue, record, (link) => {
        current = link;
        first.resolve();
      });
      if (!closed) await sleep(RETRY_MS);
    }
  };
  const running = loop();
  await first.promise;
  return {
    close: async () => {
      closed = true;
      await current?.connection.close().catch(() => undefined); // it may be lost just now
      await running;
    },
  };
}

/** Returns when the link is lost, or the broker has cancelled the consumer because the queue was deleted. */
async function consumeOnce(url: string, queue: string, record: Recorder, opened: (link: Link) => void): Promise<void> {
  let link: Link | undefined;
  try {
    link = await openLink(url, () => undefined);
    const { channel, lost } = link;
    const cancelled = Promise.withResolvers<void>();
    await channel.consume(queue, (message) => {
      if (!message) return cancelled.resolve();
      note(message, record);
      channel.ack(message);
    });
    opened(link);
    await Promise.race([cancelled.promise, lost]);
  } catch {
    // The broker or the queue is away: the caller tries again.
  }
  await link?.connection.close().catch(() => undefined); // lost already, in most cases
}

/** What the broker hands out again because this reader was cut off before its ack is not the gateway's doing. */
function note({ content, fields, properties }: ConsumeMessage, record: Recorder): void {
  const { messageId } = properties;
  record(content.toString(), typeof messageId === 'string' ? messageId : undefined, fields.redelivered);
}
