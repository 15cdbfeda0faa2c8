import type { Position, StoredEvent } from '@magpie/bus';
import type { Event, MagpieError, TargetRequest } from '@magpie/contract';
import type { Match, Target } from '@magpie/routing';
import type { LogReader } from '../log/tail.ts';
import type { BacklogBoundDeps } from './backlog-bound.ts';
import type { BacklogLimits } from './backlog-limits.ts';
import type { SettlementDeps } from './settlement.ts';

/** What an queue needs of the gateway around it. */
export interface QueueDeps extends SettlementDeps, BacklogBoundDeps {
  readonly reader: LogReader;
  /** Bounds of what is kept in memory; default `BACKLOG_LIMITS`. */
  readonly limits?: BacklogLimits | undefined;
  /** Fires when waiting for confirmations is over (end of a drain). */
  readonly signal: AbortSignal;
  /** Up to where the router has matched. */
  routed(): Position | undefined;
  /** The match of this target for an event that is read from the log. */
  match(stored: StoredEvent, consumer: string): Match | undefined;
  /** A message is about to be sent. */
  onSend(event: Event, connection: string, target: TargetRequest, body: Uint8Array): void;
  onSuspended(target: Target, error: MagpieError): void;
}
