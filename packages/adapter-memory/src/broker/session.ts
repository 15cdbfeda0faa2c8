import { type AddressPattern, matchesPattern } from '@magpie/contract';
import { channelScheme } from '../codec/address.ts';
import type { MemoryDelivery, MemoryMessage } from './message.ts';

/** Messages a session keeps for a client that is away; more are refused to the publisher, never dropped. */
export const SESSION_LIMIT = 100_000;

/** Receiver of a session's deliveries while its client is connected. */
export interface Outlet {
  /** Deliveries that may be unacknowledged. */
  readonly window: number;
  deliver(batch: readonly MemoryDelivery[]): void;
}

/** The broker's state for one client id: subscriptions, waiting and unacknowledged messages. */
export interface Session {
  /** Replaces the subscriptions. Returns the patterns that are new. */
  subscribe(patterns: readonly AddressPattern[]): readonly AddressPattern[];
  wants(channel: string): boolean;
  readonly full: boolean;
  /** Queues a message and delivers it when the window has room. */
  enqueue(number: number, message: MemoryMessage): void;
  attach(outlet: Outlet): void;
  /** Called when the client is gone: unacknowledged messages will be redelivered in order, marked as such. */
  detach(): void;
  /** Stops deliveries; acknowledgements still count. */
  pause(): void;
  /** Acknowledges deliveries by number; unknown numbers are ignored. */
  acknowledge(numbers: readonly number[]): void;
}

/** A session without subscriptions. */
export function createSession(): Session {
  const unacknowledged = new Map<number, MemoryDelivery>();
  let queue: MemoryDelivery[] = [];
  let patterns: readonly AddressPattern[] = [];
  let outlet: Outlet | undefined;
  let pumping = false;

  const pump = (): void => {
    pumping = false;
    if (!outlet) return;
    const batch = queue.splice(0, outlet.window - unacknowledged.size);
    for (const delivery of batch) unacknowledged.set(delivery.number, delivery);
    if (batch.length > 0) outlet.deliver(batch);
  };
  /** Once per turn, so that messages arriving together are delivered together. */
  const pumpSoon = (): void => {
    if (pumping) return;
    pumping = true;
    queueMicrotask(pump);
  };

  return {
    subscribe(wanted) {
      const known = new Set(patterns.map(textOf));
      patterns = wanted;
      return wanted.filter((pattern) => !known.has(textOf(pattern)));
    },
    wants(channel) {
      const address = { scheme: channelScheme.scheme, segments: channelScheme.parse(channel) };
      return patterns.some((pattern) => matchesPattern(pattern, address));
    },
    get full() {
      return queue.length >= SESSION_LIMIT;
    },
    enqueue(number, message) {
      queue.push({ number, message, redelivered: false });
      pumpSoon();
    },
    attach(to) {
      outlet = to;
      pumpSoon();
    },
    detach() {
      outlet = undefined;
      const again = [...unacknowledged.values()].map((delivery) => ({ ...delivery, redelivered: true }));
      unacknowledged.clear();
      queue = [...again, ...queue];
    },
    pause() {
      outlet = undefined;
    },
    acknowledge(numbers) {
      for (const number of numbers) unacknowledged.delete(number);
      pumpSoon();
    },
  };
}

const textOf = (pattern: AddressPattern): string => JSON.stringify(pattern);
