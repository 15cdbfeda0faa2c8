import type { Position, StoredEvent } from '@magpie/bus';
import type { Match } from '@magpie/routing';
import type { StateWriter } from '../../log-access/state-writer.ts';
import type { LogReader } from '../../log-access/tail.ts';
import type { PacingValues } from '../pacing/stored.ts';
import type { ExpiryDeps } from './expiry.ts';

/** What a backlog needs of the gateway around it. */
export interface BacklogDeps extends ExpiryDeps {
  readonly reader: LogReader;
  readonly writer: StateWriter;
  /** Up to where the router has matched. */
  routed(): Position | undefined;
  /** The match of this target for an event that is read from the log. */
  match(stored: StoredEvent, consumer: string): Match | undefined;
  onFatal(error: Error): void;
}

/** Delivery state of a target from before a restart or reload, as far as it is known. */
export interface RestoredState {
  /** The router had offered what lies at or before this. */
  readonly matched?: Position | undefined;
  /** What lies at or before this may have been sent. */
  readonly maybeSentUpTo?: Position | undefined;
  /** Bytes of bodies that waited beyond the floor. */
  readonly waiting?: number | undefined;
  /** What was decided and counted. */
  readonly pacing?: PacingValues | undefined;
}
