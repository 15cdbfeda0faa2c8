import type { Position } from '@magpie/bus';
import type { EventSubscription, Gateway } from '@magpie/core';
import type { Caller } from '../http/access/permit.ts';
import { Problem } from '../http/problems/problem.ts';
import { permittedFilter, positionOf } from '../resources/events/view.ts';
import type { EventEncoder } from './encoder.ts';
import { type ClientFrame, FRAME_BYTES, type StreamLimits } from './frames.ts';
import type { StreamOutput } from './output.ts';

type Subscribe = Extract<ClientFrame, { type: 'subscribe' }>;

/** What the subscriptions of one app need. */
export interface SubscriptionDeps {
  readonly gateway: Gateway;
  readonly encode: EventEncoder;
  readonly limits: StreamLimits;
  readonly output: StreamOutput;
  readonly caller: Caller;
}

/** The subscriptions of one socket, by the app's names. Methods throw `Problem` for mistakes of the app. */
export interface Subscriptions {
  subscribe(frame: Subscribe): void;
  credit(id: string, count: number): void;
  unsubscribe(id: string): void;
  /** Checks an acknowledgement; it has no effect. */
  acknowledge(id: string, position: string): void;
  /** Pauses all subscriptions while the socket is full. */
  pause(): void;
  resume(): void;
  /** Ends all subscriptions; nothing is sent afterwards. */
  close(): void;
}

/** Makes the subscriptions of a socket. Called once per socket. */
export function createSubscriptions(deps: SubscriptionDeps): Subscriptions {
  const { gateway, limits, output } = deps;
  const open = createNames(limits.subscriptions);
  return {
    subscribe: (frame) => {
      open.checkNew(frame.id);
      open.add(
        frame.id,
        start(deps, frame, () => open.remove(frame.id)),
      );
    },
    credit: (id, count) => open.find(id).credit(count),
    unsubscribe: (id) => {
      open.find(id).close();
      open.remove(id);
      output.send({ type: 'unsubscribed', id });
    },
    acknowledge: (id, position) => {
      open.find(id);
      positionOf(gateway, position, 'body', '/position');
    },
    pause: () => open.each((subscription) => subscription.pause()),
    resume: () => open.each((subscription) => subscription.resume()),
    close: () =>
      open.each((subscription, id) => {
        subscription.close();
        open.remove(id);
      }),
  };
}

/** Starts the subscription of a frame and reports its start position; `ended` is called when reading fails for good. */
function start(
  { gateway, encode, limits, output, caller }: SubscriptionDeps,
  frame: Subscribe,
  ended: () => void,
): EventSubscription {
  const { id, credit } = frame;
  const filter = permittedFilter(gateway, caller, 'subscribe', frame, 'body');
  const from = startOf(gateway, frame.after);
  const subscription = gateway.subscribe(filter, from, {
    events: (batch) => {
      for (const texts of inFrames(batch.map(encode), limits.eventFrameBytes - FRAME_BYTES)) {
        output.sendText(`{"type":"events","id":${JSON.stringify(id)},"events":[${texts.join(',')}]}`);
      }
    },
    gap: (first, last) => output.send({ type: 'gap', id, from: first, to: last }),
    failed: () => {
      ended();
      const detail = `Reading for the subscription "${id}" failed: subscribe again after the last position.`;
      output.send({ type: 'error', id, status: 503, title: 'Unavailable', detail });
    },
  });
  const position = from === 'now' ? gateway.head() : from;
  output.send({ type: 'subscribed', id, position: position === 'earliest' ? null : (position ?? null) });
  if (output.full()) subscription.pause();
  subscription.credit(credit ?? Number.POSITIVE_INFINITY);
  return subscription;
}

/** Groups texts, in order, into frames of limited size. */
function* inFrames(texts: readonly string[], most: number): Generator<readonly string[]> {
  let frame: string[] = [];
  let bytes = 0;
  for (const text of texts) {
    const size = Buffer.byteLength(text) + 1;
    if (frame.length > 0 && bytes + size > most) {
      yield frame;
      frame = [];
      bytes = 0;
    }
    frame.push(text);
    bytes += size;
  }
  if (frame.length > 0) yield frame;
}

/**
 * Subscriptions by the app's names, at most `limit`; throws `Problem` for an unknown or taken name, or above the limit.
 */
function createNames(limit: number) {
  const open = new Map<string, EventSubscription>();
  return {
    checkNew: (id: string): void => {
      if (open.has(id)) throw new Problem(400, `The subscription "${id}" exists already on this socket.`);
      if (open.size < limit) return;
      throw new Problem(429, `Expected at most ${limit} subscriptions per socket: open another socket.`);
    },
    find: (id: string): EventSubscription => {
      const subscription = open.get(id);
      if (subscription) return subscription;
      throw new Problem(400, `There is no subscription "${id}" on this socket.`);
    },
    add: (id: string, subscription: EventSubscription): void => void open.set(id, subscription),
    remove: (id: string): void => void open.delete(id),
    each: (act: (subscription: EventSubscription, id: string) => void): void => open.forEach(act),
  };
}

function startOf(gateway: Gateway, after: string | undefined): Position | 'now' | 'earliest' {
  if (after === undefined) return 'now';
  return after === 'earliest' ? after : positionOf(gateway, after, 'body', '/after');
}
