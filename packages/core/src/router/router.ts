import type { Position, StoredEvent } from '@magpie/bus';
import { type Clock, type Event, isBounce, Rejected } from '@magpie/contract';
import type { Match } from '@magpie/routing';
import type { EchoCheck } from '../intake/echo-guard.ts';
import { deadLetter, putDeadLetter } from '../log-access/dead-letter.ts';
import type { StateWriter } from '../log-access/state-writer.ts';
import type { LogReader } from '../log-access/tail.ts';
import type { Replies } from '../replies/replies.ts';
import type { Targets } from '../targets/targets.ts';
import type { Bounces } from './bounces.ts';

/** Events matched before the loop lets other work run. */
const BATCH = 256;

export interface RouterDeps {
  readonly reader: LogReader;
  readonly writer: StateWriter;
  readonly targets: Pick<Targets, 'routes' | 'queue'>;
  readonly bounces: Bounces;
  readonly replies: Pick<Replies, 'expect' | 'offer' | 'decline' | 'settled'>;
  readonly echoOf: EchoCheck;
  /** An event that is routed has come in; called before its deliveries are made. */
  arrived(event: Event): void;
  /** Up to where everything has been matched, for the queues. */
  readonly matched: MatchedPosition;
  readonly clock: Clock;
  /** Events that carry it in `via` have passed this gateway. */
  readonly gatewayId: string;
  /** A message of this gateway came back by a connection and no route takes it (`acceptOwn`). */
  ownReturned(connection: string): void;
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
  const { reader, writer, targets, replies, matched, clock, gatewayId, onFatal } = deps;
  /** Up to where everything is matched, and its bounces are durable. */
  let done: Position | undefined;
  let stopped = false;
  let waiting: (() => void)[] = [];

  const route = (stored: StoredEvent): void => {
    const matches = targets.routes.match(stored.event);
    const { source, via } = stored.event;
    if (matches.length === 0 && via.length > 0 && via.includes(gatewayId)) deps.ownReturned(source);
    if (matches.length > 0) deps.arrived(stored.event);
    const echo = matches.length > 0 ? deps.echoOf(stored.event) : [];
    for (const match of matches) {
      const queue = targets.queue(match.target.consumer);
      // A target that reads on from the log later must know as well.
      if (echo.includes(match.target.connection)) queue?.leaveOut(stored);
      else if (queue) {
        replies.expect(stored, match.target);
        queue.offer(stored, match, matched.get());
      } else strand(stored, match);
    }
    replies.offer(stored.event);
    replies.decline(stored.event);
    matched.set(stored.position);
  };

  /** A delivery to a connection that is not configured any more. */
  const strand = ({ event, position }: StoredEvent, { target, error: reason }: Match): void => {
    const { consumer, connection } = target;
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

  /** Tells those who wait whether everything has been matched. */
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
