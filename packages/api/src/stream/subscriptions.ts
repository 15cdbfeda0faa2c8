import type { Position, StoredEvent } from '@magpie/bus';
import type { EventSubscription, Gateway } from '@magpie/core';
import { filterOf, positionOf } from '../events.ts';
import { Problem } from '../http/problem.ts';
import type { EventEncoder } from './encoder.ts';
import type { Outflow } from './outflow.ts';
import type { ClientFrame, StreamLimits } from './protocol.ts';

type Subscribe = Extract<ClientFrame, { type: 'subscribe' }>;

/** What subscriptions of one socket need. */
export interface SubscriptionDeps {
  readonly gateway: Gateway;
  readonly encode: EventEncoder;
  readonly limits: StreamLimits;
  readonly outflow: Outflow;
}

/** The subscriptions of one socket, by the app's names. Methods throw `Problem` for what an app got wrong. */
export interface Subscriptions {
  subscribe(frame: Subscribe): void;
  credit(id: string, count: number): void;
  unsubscribe(id: string): void;
  /** Checks an acknowledgement; nothing depends on it. */
  acknowledge(id: string, position: string): void;
  /** Stops or goes on with all, as the socket has room. */
  pause(): void;
  resume(): void;
  /** Ends all; nothing is sent any more. */
  close(): void;
}

/** Makes the subscriptions of a socket. */
export function createSubscriptions({ gateway, encode, limits, outflow }: SubscriptionDeps): Subscriptions {
  const open = new Map<string, EventSubscription>();

  const find = (id: string): EventSubscription => {
    const subscription = open.get(id);
    if (subscription) return subscription;
    throw new Problem(400, `There is no subscription "${id}" on this socket.`);
  };

  const checkNew = (id: string): void => {
    if (open.has(id)) throw new Problem(400, `The subscription "${id}" exists already on this socket.`);
    if (open.size < limits.subscriptions) return;
    throw new Problem(429, `Expected at most ${limits.subscriptions} subscriptions per socket: open another socket.`);
  };

  const failed = (id: string): void => {
    open.delete(id);
    const detail = `Reading for the subscription "${id}" failed: subscribe again after the last position.`;
    outflow.send({ type: 'error', id, status: 503, title: 'Unavailable', detail });
  };

  const sendEvents = (id: string, batch: readonly StoredEvent[]): void =>
    outflow.sendText(`{"type":"events","id":${JSON.stringify(id)},"events":[${batch.map(encode).join(',')}]}`);

  const subscribe = (frame: Subscribe): void => {
    const { id, credit } = frame;
    checkNew(id);
    const filter = filterOf(gateway, frame, 'body');
    const from = startOf(gateway, frame.after);
    const subscription = gateway.subscribe(filter, from, {
      events: (batch) => sendEvents(id, batch),
      gap: (start, end) => outflow.send({ type: 'gap', id, from: start, to: end }),
      failed: () => failed(id),
    });
    open.set(id, subscription);
    const position = from === 'now' ? gateway.head() : from;
    outflow.send({ type: 'subscribed', id, position: position === 'earliest' ? null : (position ?? null) });
    if (outflow.full()) subscription.pause();
    subscription.credit(credit ?? Number.POSITIVE_INFINITY);
  };

  return {
    subscribe,
    credit: (id, count) => find(id).credit(count),
    unsubscribe: (id) => {
      find(id).close();
      open.delete(id);
      outflow.send({ type: 'unsubscribed', id });
    },
    acknowledge: (id, position) => {
      find(id);
      positionOf(gateway, position, 'body', '/position');
    },
    pause: () => open.forEach((subscription) => void subscription.pause()),
    resume: () => open.forEach((subscription) => void subscription.resume()),
    close: () => {
      for (const subscription of open.values()) subscription.close();
      open.clear();
    },
  };
}

function startOf(gateway: Gateway, after: string | undefined): Position | 'now' | 'earliest' {
  if (after === undefined) return 'now';
  return after === 'earliest' ? after : positionOf(gateway, after, 'body', '/after');
}
