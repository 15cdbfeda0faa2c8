import {
  type AdapterContext,
  ConfigInvalid,
  NotConnected,
  type ReceivedEvent,
  type Sink,
  type SourceRequest,
  type Verdict,
} from '@magpie/contract';
import { type AmqpConfig, sourceSchema } from '../config.ts';
import type { Link } from '../link/link.ts';
import { type Consumer, createConsumer, type QueueWish } from './consumer.ts';

/** Everything consumed on one link. */
export interface Receiver {
  /** Replaces the consumed queues. Rejects with `ConfigInvalid` for a foreign source, `NotConnected` when the link is lost. */
  receive(sources: readonly SourceRequest[], sink: Sink): Promise<void>;
  quiesce(): Promise<void>;
  /** The link is gone. */
  abandon(): void;
}

/** Defaults of a source from its connection. */
export type SourceDefaults = Pick<AmqpConfig, 'prefetch' | 'tooLarge'>;

/** Called once per established link. */
export function createReceiver(link: Link, defaults: SourceDefaults, context: AdapterContext): Receiver {
  const consumers = new Map<string, Consumer>();
  let sink: Sink | undefined;
  // The sink may be replaced while consumers run on; each batch goes to the current one.
  const forward = (batch: readonly ReceivedEvent[], queue: string): Promise<readonly Verdict[]> =>
    sink ? sink(batch, queue) : Promise.resolve(batch.map(() => NO_SINK));

  const retire = async (queue: string, consumer: Consumer): Promise<void> => {
    consumers.delete(queue);
    await consumer.stop();
  };
  const add = (queue: string, wish: QueueWish): Promise<void> => {
    const consumer = createConsumer({ queue, wish, link, context, sink: (batch) => forward(batch, queue) });
    consumers.set(queue, consumer);
    return consumer.start();
  };
  return {
    async receive(sources, newSink) {
      sink = newSink;
      const wishes = wishesOf(sources, defaults);
      const old = [...consumers].filter(([queue, { wish }]) => !sameWish(wish, wishes.get(queue)));
      await Promise.all(old.map(([queue, consumer]) => retire(queue, consumer)));
      const fresh = [...wishes].filter(([queue]) => !consumers.has(queue));
      await Promise.all(fresh.map(([queue, wish]) => add(queue, wish)));
      if (!link.alive()) throw new NotConnected('the link was lost while its queues were being consumed');
    },
    async quiesce() {
      await Promise.all([...consumers.values()].map((consumer) => consumer.quiesce()));
    },
    abandon() {
      for (const consumer of consumers.values()) consumer.abandon();
      consumers.clear();
    },
  };
}

const NO_SINK = { type: 'unavailable', reason: 'no receiver yet' } as const;

/** One wish per queue: a queue named by several sources is consumed once, with the largest prefetch. */
function wishesOf(sources: readonly SourceRequest[], defaults: SourceDefaults): Map<string, QueueWish> {
  const wishes = new Map<string, QueueWish>();
  for (const { options } of sources) {
    const parsed = sourceSchema.safeParse(options);
    if (!parsed.success)
      throw new ConfigInvalid(`expected a source such as { queue: inbox }, got ${JSON.stringify(options)}`);
    const { queue, prefetch = defaults.prefetch, tooLarge = defaults.tooLarge, dedupe } = parsed.data;
    const before = wishes.get(queue);
    wishes.set(queue, {
      prefetch: Math.max(prefetch, before?.prefetch ?? 0),
      uniqueIds: dedupe === 'messageId' || before?.uniqueIds === true,
      whenTooLarge: tooLarge === 'hold' || before?.whenTooLarge === 'hold' ? 'hold' : 'reject',
    });
  }
  return wishes;
}

const sameWish = (one: QueueWish, other: QueueWish | undefined): boolean =>
  one.prefetch === other?.prefetch && one.uniqueIds === other.uniqueIds && one.whenTooLarge === other.whenTooLarge;
