import type { Channel } from 'amqplib';
import type { Link } from './link.ts';

/** Runs one operation on a channel for checks, which the broker may close without harm. Rejects with its error. */
export type Scratch = <T>(operation: (channel: Channel) => Promise<T>) => Promise<T>;

/**
 * A check that fails closes its channel; the next one gets a new channel. Operations must not depend on each other's
 * channel.
 */
export function createScratch(link: Pick<Link, 'model'>): Scratch {
  let opening: Promise<Channel> | undefined;
  const open = async (): Promise<Channel> => {
    const channel = await link.model.createChannel();
    channel.on('error', () => {
      opening = undefined; // The operation that caused it rejects with the same error.
    });
    channel.on('close', () => {
      opening = undefined;
    });
    return channel;
  };
  return async (operation) => {
    opening ??= open();
    try {
      return await operation(await opening);
    } catch (error) {
      opening = undefined;
      throw error;
    }
  };
}
