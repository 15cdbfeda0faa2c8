import type { Position, StoredEvent } from '@magpie/bus';
import { type Clock, type Event, isBounce, Rejected } from '@magpie/contract';
import type { Match } from '@magpie/routing';
import type { Connections } from '../connections/connections.ts';
import type { AwaitedDeliveries } from '../intake/awaited-deliveries.ts';
import type { EchoGuard } from '../intake/echo-guard.ts';
import { deadLetter, putDeadLetter } from '../log-access/dead-letter.ts';
import type { StateWriter } from '../log-access/state-writer.ts';
import type { LogReader } from '../log-access/tail.ts';
import type { LoopGuard } from '../loops/loop-guard.ts';
import type { Replies } from '../replies/replies.ts';
import type { Targets } from '../targets/targets.ts';
import type { Bounces } from './bounces.ts';

/** Events matched before the loop lets other work run. */
const BATCH = 256;

export interface RouterDeps {
  readonly reader: LogReader;
  readonly writer: StateWriter;
  readonly connections: Pick<Connections, 'port' | 'count'>;
  readonly targets: Pick<Targets, 'routes' | 'queue'>;
  readonly bounces: Bounces;
  readonly replies: Pick<Replies, 'expect' | 'offer' | 'decline' | 'settled'>;
  readonly echoGuard: Pick<EchoGuard, 'returned'>;
  readonly loops: Pick<LoopGuard, 'arrived'>;
  readonly awaited: Pick<AwaitedDeliveries, 'matched' | 'ended'>;
  /** Up to where everything has been matched, for the queues. */
  readonly matched: MatchedPosition;
  readonly clock: Clock;
  /** Events that carry it in `via` have passed this gateway. */
  readonly gatewayId: string;
  onFatal(error: Error): void;
}

/** Up to where the router has matched. Only the router moves it; delivery queues that read the log stop there. */
export class MatchedPosition {
  #position: Position | undefined;

  get(): Position | undefined {
    return this.#position;
  }

  set(position: Position | undefined): void {
    this.#position = position;
  }
}

/** Reads the log once, in order, and hands every event to the queues of the targets it matches. */
export interface Router {
  /** Says where matching goes on (undefined: at the oldest event). Called once, before `run`. */
  place(after: Position | undefined): void;
  /** Begins to match. Returns at once. */
  run(): void;
  /** Resolves when everything committed so far has been matched. */
  caughtUp(): Promise<void>;
  stop(): void;
}

export function createRouter(deps: RouterDeps): Router {
  const { reader, writer, connections, targets, replies, awaited, echoGuard, loops, matched, clock } = deps;
  const { gatewayId, onFatal } = deps;
  /** Up to where everything is matched, and its bounces are durable. */
  let done: Position | undefined;
  let stopped = false;
  let waiting: (() => void)[] = [];

  const route = (stored: StoredEvent): void => {
    const matches = targets.routes.match(stored.event);
    const { source, via } = stored.event;
    // By `acceptOwn` no route takes a message of this gateway that came back.
    if (matches.length === 0 && via.includes(gatewayId)) connections.count(source, 'own-returned');
    const echo = matches.length > 0 ? arrived(stored.event) : [];
    awaited.matched(stored.event.ref, matches.length);
    for (const match of matches) {
      const { target } = match;
      const queue = targets.queue(target.consumer);
      // A target that reads on from the log later must know as well.
      if (echo.includes(target.connection)) {
        queue?.leaveOut(stored);
        awaited.ended(stored.event.ref, true);
      } else if (queue) {
        if (target.reply !== undefined) replies.expect(stored, target, target.reply);
        queue.offer(stored, match, matched.get());
      } else strand(stored, match);
    }
    replies.offer(stored.event);
    replies.decline(stored.event);
    matched.set(stored.position);
  };

  /** Takes note of an event that routes take. Returns the connections it must not go to: it is an own message that came back. */
  const arrived = (event: Event): readonly string[] => {
    const port = connections.port(event.source);
    // What has no link (the API) sends nothing back by itself.
    if (port === undefined) return [];
    loops.arrived(event, port.hasMetadata);
    return port.hasMetadata ? [] : echoGuard.returned(event);
  };

  /** A delivery to a connection that is no longer configured. */
  const strand = ({ event, position }: StoredEvent, { target, error: reason }: Match): void => {
    const { consumer, connection } = target;
    awaited.ended(event.ref, false);
    const error = reason ?? new Rejected(`the connection "${connection}" does not exist`);
    const letter = deadLetter({ at: clock.now(), event, consumer, position, reason: 'rejected', error });
    putDeadLetter(writer, letter).catch(onFatal);
  };

  const loop = async (): Promise<void> => {
    while (!stopped) {
      const changed = reader.changed();
      const events = await reader.read(matched.get(), BATCH);
      for (const stored of events) route(stored);
      for (const stored of events) if (isBounce(stored.event)) await deps.bounces(stored);
      await replies.settled();
      const position = matched.get();
      if (position !== undefined && events.length > 0) writer.matched(position);
      done = position;
      if (waiting.length > 0) answer();
      if (events.length === 0) await changed;
      else if (events.length === BATCH) await new Promise((resolve) => setImmediate(resolve));
    }
  };

  /** Resolves `caughtUp` once everything has been matched. */
  const answer = (): void => {
    if (!stopped && done !== reader.head()) return;
    for (const resolve of waiting) resolve();
    waiting = [];
  };

  return {
    place: (after) => {
      matched.set(after);
      done = after;
    },
    run: () => {
      loop().catch((error: Error) => {
        // A log that is closed while it is read is no failure of a router that has been stopped.
        if (!stopped) onFatal(error);
      });
    },
    caughtUp: () =>
      new Promise((resolve) => {
        waiting.push(resolve);
        answer();
      }),
    stop: () => {
      stopped = true;
      answer();
    },
  };
}
