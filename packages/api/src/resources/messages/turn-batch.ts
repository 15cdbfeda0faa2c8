import { setImmediate } from 'node:timers';
import type { ReceivedEvent } from '@magpie/contract';
import type { Gateway, PublishResult } from '@magpie/core';
import { httpAdapter } from './http-adapter.ts';

/** What goes into the log at once at the most. Few events: while they are written, the rest of the turn is read. */
const LARGEST = { events: 32, bytes: 1024 * 1024 } as const;

/** Publishes one event at a time, and what comes in the same turn of the event loop together: a commit per event costs more. */
export interface TurnBatch {
  /** The result of this event, as `Gateway.publish` gives it. Events enter the log in the order of the calls. */
  publish(event: ReceivedEvent): Promise<PublishResult>;
  /** Hands on what has gathered: whatever goes into the log by another way now comes after it. */
  flush(): void;
}

interface Waiting {
  readonly event: ReceivedEvent;
  resolve(result: PublishResult): void;
  reject(error: unknown): void;
}

/** Gathers for the connection `http`. `check` throws when the gateway takes nothing any more: a turn is long enough to stop. */
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
