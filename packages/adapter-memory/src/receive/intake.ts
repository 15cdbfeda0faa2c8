import { judge, settleInOrder } from '@magpie/adapter-kit';
import { type AdapterContext, type MagpieError, NotConnected, type Sink, type Verdict } from '@magpie/contract';
import type { MemoryClient } from '../broker/client.ts';
import type { MemoryDelivery } from '../broker/message.ts';
import { decodeDelivery, type LinkFacts } from '../codec/decode.ts';

/** Dependencies of receiving on one link. */
interface ReceiverParts {
  readonly client: MemoryClient;
  readonly facts: LinkFacts;
  readonly sink: Sink;
  readonly context: AdapterContext;
  /** Reports the link as lost. */
  lose(error: MagpieError): void;
}

/**
 * Hands deliveries to the sink and acknowledges stored ones. Nothing is buffered: the broker sends at most a window of
 * unacknowledged deliveries. Several batches may wait for their verdicts at once.
 *
 * `unavailable` ends the link: the broker then delivers that message and all unacknowledged ones after it again, in
 * order, once the supervisor has reconnected.
 */
export function createReceiver(parts: ReceiverParts): (batch: readonly MemoryDelivery[]) => void {
  const { facts, sink } = parts;
  return (batch) => {
    const events = batch.map((delivery) => decodeDelivery(delivery, facts));
    void judge(sink, events).then((verdicts) => settle(parts, batch, verdicts));
  };
}

async function settle(
  { client, context, lose }: ReceiverParts,
  batch: readonly MemoryDelivery[],
  verdicts: readonly Verdict[],
): Promise<void> {
  const settled: number[] = [];
  const reason = settleInOrder(batch, verdicts, ({ number }) => settled.push(number));
  try {
    if (settled.length > 0) await client.acknowledge(settled);
  } catch {
    return; // The link is gone: the broker delivers the batch again on the next one.
  }
  if (reason === undefined || !client.up) return;
  context.count('received-unavailable', batch.length - settled.length);
  client.destroy();
  lose(new NotConnected(`link ended, so that messages that could not be stored are delivered again: ${reason}`));
}
