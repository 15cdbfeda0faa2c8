import type { Position, StoredEvent } from '@magpie/bus';
import type { Event } from '@magpie/contract';
import type { Match, RouteSet } from '@magpie/routing';
import type { DeliveryQueue } from '../delivery/delivery-queue.ts';
import type { StateWriter } from '../log/state-writer.ts';
import type { LogReader } from '../log/tail.ts';
import { isBounce } from './bounces.ts';

/** Events matched before the loop lets other work run. */
const BATCH = 256;

export interface RouterDeps {
  readonly reader: LogReader;
  readonly writer: StateWriter;
  routes(): RouteSet;
  queue(consumer: string): DeliveryQueue | undefined;
  /** Connections an event must not go to, because it is an own message that came back without saying so. */
  echoOf(event: Event): readonly string[];
  /** A delivery has no queue: its connection is configured no more. */
  stranded(stored: StoredEvent, match: Match): void;
  /** Takes note of an event that says that a message came back; resolves when that is durable. */
  bounced(notice: StoredEvent): Promise<void>;
  onFatal(error: Error): void;
}

/** Reads the log once, in order, and hands every event to the queues of the targets it matches. */
export interface Router {
  /** Says where matching goes on (undefined: at the oldest event). Called once, before `run`. */
  place(after: Position | undefined): void;
  /** Begins to match. Returns at once. */
  run(): void;
  /** Up to where everything has been matched. */
  position(): Position | undefined;
  /** Resolves when everything committed so far has been matched. */
  caughtUp(): Promise<void>;
  stop(): void;
}

export function createRouter(deps: RouterDeps): Router {
  const { reader, writer } = deps;
  let position: Position | undefined;
  /** Up to where everything is matched, and its bounces are durable. */
  let done: Position | undefined;
  let stopped = false;

  const route = (stored: StoredEvent): void => {
    const matches = deps.routes().match(stored.event);
    const echo = matches.length > 0 ? deps.echoOf(stored.event) : [];
    for (const match of matches) {
      const queue = deps.queue(match.target.consumer);
      // A target that reads on from the log later must know as well.
      if (echo.includes(match.target.connection)) queue?.leaveOut(stored);
      else if (queue) queue.offer(stored, match, position);
      else deps.stranded(stored, match);
    }
    position = stored.position;
  };

  const loop = async (): Promise<void> => {
    while (!stopped) {
      const changed = reader.changed();
      const events = await reader.read(position, BATCH);
      for (const stored of events) route(stored);
      for (const stored of events) if (isBounce(stored.event)) await deps.bounced(stored);
      if (position !== undefined && events.length > 0) writer.matched(position);
      done = position;
      if (events.length === 0) await changed;
      else if (events.length === BATCH) await new Promise((resolve) => setImmediate(resolve));
    }
  };

  return {
    place: (after) => {
      position = after;
      done = after;
    },
    run: () => {
      loop().catch((error: Error) => {
        // A log that is closed while it is read is no failure of a router that has been stopped.
        if (!stopped) deps.onFatal(error);
      });
    },
    position: () => position,
    caughtUp: async () => {
      while (!stopped && done !== reader.head()) await new Promise((resolve) => setTimeout(resolve, 5));
    },
    stop: () => {
      stopped = true;
    },
  };
}
