import type { EventLog } from '@magpie/bus';
import { type MagpieError, type ReceivedEvent, Rejected, Throttled, Transient, Unknown } from '@magpie/contract';

/** Where the log of a run lives: what a crash leaves of it, and what a clean stop does. */
export interface Store {
  open(): Promise<EventLog>;
  /** The log as a crash leaves it, opened again. */
  reopenAfterCrash(): Promise<EventLog>;
  /** The log after an ordered end, opened again. */
  reopen(): Promise<EventLog>;
  close(): Promise<void>;
}

/** What the label of a message ends with whose link to a target ends when it is sent. */
export const poisonFor = (target: string): string => `!${target}`;

/** Whether the other side of a connection ends the link when it gets such a body. */
export const isPoison = (body: Uint8Array, connection: string): boolean =>
  Buffer.from(body).toString().includes(poisonFor(connection));

/** Bounds so low that a backlog of a dozen waits in the log. */
export const LIMITS = { deliveries: 6, bytes: 400, read: 4, parked: 6, parkedBytes: 400 };

/** A wait that is longer than this is not lived through. */
export const LONG_MS = 60_000;

/** Dead letters that are handled at once; undefined: all. */
export const REASONS = ['rejected', 'attempts', 'age', 'backlog', undefined] as const;

/** How a send may fail. */
export const ERRORS: readonly (() => MagpieError)[] = [
  () => new Transient('not now'),
  () => new Transient('not now'),
  () => new Transient('queue full'),
  () => new Rejected('never'),
  () => new Rejected('never'),
  () => new Unknown('no word'),
  () => new Throttled('slowly', 700),
  () => new Error('a surprise of a library') as MagpieError,
];

/** A message with a label for a body, filled up to a size; it expires after `ttl` ms unless that is 0. */
export const message = (
  label: string,
  key: string,
  { ttl, size, now }: Record<'ttl' | 'size' | 'now', number>,
): ReceivedEvent => ({
  address: { scheme: 'channel', segments: ['in', key] },
  kind: 'message',
  key,
  time: now,
  body: Buffer.from(label.padEnd(size)),
  headers: [],
  via: [],
  origin: {},
  dedupeKey: label,
  ...(ttl > 0 ? { expiresAt: now + ttl } : {}),
});
