import { type AdapterContext, createRetry, errorMessage, Transient } from '@magpie/contract';

/** A declared queue that the broker cannot serve at present. */
export interface QueueOutage {
  readonly queue: string;
  readonly reason: string;
  /** Declares it again. Rejects with `Transient` while the broker cannot serve it. */
  again(): Promise<void>;
}

/** Pauses between two attempts, ms. */
const RETRY = { min: 1000, max: 60_000 } as const;

/**
 * Retries the declaration of queues that the broker could not serve at connect, and shows them meanwhile as `declared
 * queue …`. The rest of the connection works. @returns a function that stops the retries.
 */
export function watchOutages(outages: readonly QueueOutage[], context: AdapterContext): () => void {
  const retry = createRetry(context.clock, RETRY);
  let waiting = outages;
  let ended = false;
  const part = (queue: string): string => `declared queue ${queue}`;
  const tell = ({ queue, reason }: QueueOutage): void =>
    context.detail(part(queue), `unavailable: ${reason}`, 'trouble');
  const tryOne = async (outage: QueueOutage): Promise<QueueOutage | undefined> => {
    try {
      await outage.again();
      if (!ended) context.detail(part(outage.queue), undefined);
      return undefined;
    } catch (error) {
      if (!ended && !(error instanceof Transient)) context.detail(part(outage.queue), errorMessage(error), 'trouble');
      return outage;
    }
  };
  const round = async (): Promise<void> => {
    const left: QueueOutage[] = [];
    for (const outage of waiting) {
      const still = await tryOne(outage);
      if (ended) return;
      if (still) left.push(still);
    }
    waiting = left;
    if (waiting.length > 0) retry.schedule(() => void round());
  };
  outages.forEach(tell);
  if (waiting.length > 0) retry.schedule(() => void round());
  return () => {
    ended = true;
    retry.stop();
    for (const { queue } of outages) context.detail(part(queue), undefined);
  };
}
