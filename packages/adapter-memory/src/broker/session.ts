import { type AddressPattern, matchesPattern } from '@magpie/contract';
import { channelScheme } from '../codec/address.ts';
import type { MemoryDelivery, MemoryMessage } from './message.ts';

/** Messages a session keeps for a client that is away; more are refused to the publisher, never dropped. */
export const SESSION_LIMIT = 100_000;

/** Where a session's deliveries go while its client is there. */
export interface Outlet {
  /** Deliveries that may be unacknowledged. */
  readonly window: number;
  deliver(batch: readonly MemoryDelivery[]): void;
}

/** What the broker keeps for one client id: its subscriptions, waiting messages, and unacknowledged ones. */
export interface Session {
  /** Replaces the subscriptions. Returns the patterns that are new. */
  subscribe(patterns: readonly AddressPattern[]): readonly AddressPattern[];
  wants(channel: string): boolean;
  readonly full: boolean;
  /** Queues a message and hands it over when the window has room. */
  enqueue(number: number, message: MemoryMessage): void;
  attach(outlet: Outlet): void;
  /** The client is gone: everything unacknowledged will come again, in order, marked as redelivered. */
  detach(): void;
  /** Hands over nothing more, while acknowledgements still count. */
  pause(): void;
  /** Numbers that are not outstanding are ignored. */
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
  /** Once per turn, so that messages which come together are handed over together. */
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
