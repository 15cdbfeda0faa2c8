import { setImmediate } from 'node:timers';
import type { ReceivedEvent } from '@magpie/contract';
import type { Gateway, PublishResult } from '@magpie/core';
import { httpAdapter } from './http-adapter.ts';

/** Maximum size of one commit. Few events: while they are written, the rest of the turn is read. */
const LARGEST = { events: 32, bytes: 1024 * 1024 } as const;

/**
 * Publishes single events; those of one turn of the event loop are committed together, as a commit per event costs
 * more.
 */
export interface TurnBatch {
  /** The result of this event, as from `Gateway.publish`. Events enter the log in the order of the calls. */
  publish(event: ReceivedEvent): Promise<PublishResult>;
  /** Hands over the gathered events, so that events written by another way come after them. */
  flush(): void;
}

interface Waiting {
  readonly event: ReceivedEvent;
  resolve(result: PublishResult): void;
  reject(error: unknown): void;
}

/**
 * Gathers for the connection `http`. `check` throws when the gateway accepts nothing any more: it may stop within a
 * turn.
 */
export function createTurnBatch(gateway: Pick<Gateway, 'publish'>, check: () => void): TurnBatch {
  let waiting: Waiting[] = [];
  let bytes = 0;

  const flush = (): void => {
    if (waiting.length === 0) return;
    const batch = waiting;
    waiting = [];
    bytes = 0;
    send(batch).catch((error: unknown) => {
      for (const { reject } of batch) reject(error);
    });
  };
  const send = async (batch: readonly Waiting[]): Promise<void> => {
    check();
    const events = batch.map(({ event }) => event);
    const results = await gateway.publish(httpAdapter.type, events, { onMismatch: 'refuse' });
    for (const [index, { resolve }] of batch.entries()) resolve(results[index]!);
  };
  return {
    publish: (event) =>
      new Promise((resolve, reject) => {
        if (bytes + event.body.byteLength > LARGEST.bytes || waiting.length === LARGEST.events) flush();
        if (waiting.length === 0) setImmediate(flush);
        waiting.push({ event, resolve, reject });
        bytes += event.body.byteLength;
      }),
    flush,
  };
}
