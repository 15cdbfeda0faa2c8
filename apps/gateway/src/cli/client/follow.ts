import { setTimeout as sleep } from 'node:timers/promises';
import type { Answer } from '@magpie/api';
import { fullJitter } from '@magpie/contract';
import { CommandFailed } from '../output/fail.ts';
import type { ClientOptions } from './http.ts';
import { type Frame, type LinkEnd, NoLink, openLink } from './stream-link.ts';

/** Which events to follow. */
export interface FollowOptions extends ClientOptions {
  readonly connection?: string;
  readonly address?: string;
  /** Start after this position, or `earliest`; default with new events. */
  readonly since?: string;
}

/** An event as the stream shows it. */
export type StreamedEvent = Extract<Frame, { type: 'events' }>['events'][number];

/** Who follows. */
export interface Follower {
  /** The first subscription was accepted. */
  started(): void;
  event(event: StreamedEvent): void;
  /** A notice for the user, such as a lost link; one sentence without a full stop. */
  notice(text: string): void;
}

/** Events asked for at a time. */
const CREDIT = 256;

/** Pause between two attempts, ms. */
const BACKOFF = { min: 250, max: 10_000 };

/** Position of a subscription; outlives the links. */
interface Cursor {
  after: string | undefined;
  started: boolean;
  attempt: number;
}

/**
 * Follows the events of a running gateway until the signal fires. After a lost link, a gateway restart or a close for
 * reading too slowly it reconnects with growing pauses and resumes after the last position seen. Rejects with
 * `CommandFailed` when the first attempt reaches no gateway, when the gateway refuses the subscription, and when it
 * closes the stream for good. Called by `magpie tail`.
 */
export async function followStream(options: FollowOptions, follower: Follower, signal: AbortSignal): Promise<void> {
  const cursor: Cursor = { after: options.since, started: false, attempt: 0 };
  while (!signal.aborted) {
    const lost = await untilLost(options, cursor, follower, signal);
    if (signal.aborted) return;
    const ms = fullJitter(BACKOFF, cursor.attempt++);
    follower.notice(`${lost}; connecting again in ${(ms / 1000).toFixed(1)} s`);
    await sleep(ms, undefined, { signal }).catch(() => undefined); // The signal ends the pause.
  }
}

/** One link; resolves to the reason it ended, when reconnecting makes sense. */
async function untilLost(
  options: FollowOptions,
  cursor: Cursor,
  follower: Follower,
  signal: AbortSignal,
): Promise<string> {
  try {
    const end = await openLink(options, subscription(options, cursor, follower), signal);
    if (signal.aborted || comesBack(end)) return `the stream ended: ${describe(end)}`;
    throw new CommandFailed(`the stream ended: ${describe(end)}`);
  } catch (error) {
    if (!(error instanceof NoLink) || signal.aborted) throw error;
    if (!cursor.started) throw new CommandFailed(`${error.message}. Is it running? Use --url to name another.`);
    return error.message;
  }
}

/** Subscribes after the cursor and moves it on. */
function subscription({ connection, address }: FollowOptions, cursor: Cursor, follower: Follower) {
  let send = (_: object): void => undefined;
  const take = (events: readonly StreamedEvent[]): void => {
    for (const event of events) {
      follower.event(event);
      cursor.after = event.position;
    }
    send({ type: 'credit', id: 'tail', credit: events.length });
  };
  return {
    open: (sendFrame: (frame: object) => void): void => {
      send = sendFrame;
      send({ type: 'subscribe', id: 'tail', connection, address, after: cursor.after, credit: CREDIT });
    },
    frame: (frame: Answer<'frame'>): void => {
      if (frame.type === 'subscribed') subscribed(cursor, frame.position, follower);
      if (frame.type === 'gap') follower.notice('some events were skipped: the log no longer keeps them');
      if (frame.type === 'events') take(frame.events);
      if (frame.type === 'error') throw refusal(frame);
    },
  };
}

function subscribed(cursor: Cursor, position: string | null, follower: Follower): void {
  cursor.after = position ?? 'earliest';
  cursor.attempt = 0;
  if (cursor.started) follower.notice('connected again');
  else follower.started();
  cursor.started = true;
}

const refusal = ({ status, detail }: Extract<Frame, { type: 'error' }>): Error =>
  status >= 500 ? new NoLink(detail) : new CommandFailed(detail);

/**
 * Close codes of RFC 6455 and its registry after which reconnecting makes sense: going away, no code, lost, failed,
 * restart, try again later.
 */
const PASSING: ReadonlySet<number> = new Set([1001, 1005, 1006, 1011, 1012, 1013, 1014]);

/** With 4000 to 4399 the gateway asks the client to reconnect; from 4400 on another attempt would end the same way. */
const comesBack = ({ code }: LinkEnd): boolean => PASSING.has(code) || (code >= 4000 && code < 4400);

const describe = ({ code, reason }: LinkEnd): string =>
  code === 1006 ? 'the link was lost (1006)' : `${reason === '' ? 'no reason given' : reason} (${code})`;
