import amqp, { type Channel, type ConsumeMessage } from 'amqplib';

/** Unacknowledged messages RabbitMQ may have on the way to us. */
const PREFETCH = 1000;

/** Connects without Nagle's algorithm. */
export const connect = (url: string) => amqp.connect(url, { noDelay: true });

/**
 * Consumes a queue. `take` calls its second argument when a message is dealt with; once per turn of the event loop all are
 * acknowledged together up to the first that is not.
 */
export async function receive(
  channel: Channel,
  queue: string,
  take: (message: ConsumeMessage, done: () => void) => void,
): Promise<void> {
  const waiting: { readonly message: ConsumeMessage; done: boolean }[] = [];
  let scheduled = false;
  const acknowledge = (): void => {
    scheduled = false;
    const open = waiting.findIndex(({ done }) => !done);
    const last = waiting.splice(0, open < 0 ? waiting.length : open).at(-1);
    if (last) channel.ack(last.message, true);
  };
  await channel.assertQueue(queue, { durable: true });
  await channel.prefetch(PREFETCH);
  await channel.consume(queue, (message) => {
    if (!message) return;
    const entry = { message, done: false };
    waiting.push(entry);
    take(message, () => {
      entry.done = true;
      if (!scheduled) setImmediate(acknowledge);
      scheduled = true;
    });
  });
}
