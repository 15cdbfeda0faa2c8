import type { ExceptionRow, Position, StoredEvent } from '@magpie/bus';
import type { Event } from '@magpie/contract';
import type { Match } from '@magpie/routing';
import type { BacklogLimits } from './backlog-limits.ts';
import type { Delivery, Lane } from './delivery.ts';

/** What a backlog asks of its owner. */
export interface BacklogOwner {
  readonly limits: BacklogLimits;
  laneFor(key: string): Lane;
  /** A delivery has been taken in. */
  accepted(delivery: Delivery): void;
  /** A delivery has been taken back with its story. */
  restored(delivery: Delivery, row: ExceptionRow): void;
  /** The match of this target for an event read back from the log. */
  match(stored: StoredEvent): Match | undefined;
  /** Ends what has expired while it waited in the log; tells whether it has. */
  expired(event: Event): boolean;
  /** Deliveries read back from the log have been taken in. */
  refilled(): void;
  /** The floor may have moved. */
  moved(): void;
  failed(error: Error): void;
}

/** What a target's former self has left behind, as far as it is known. */
export interface RestoredState {
  /** It had been offered what lies at or before this. */
  readonly matched?: Position | undefined;
  /** It may have sent what lies at or before this. */
  readonly doubtful?: Position | undefined;
  /** Bytes of bodies that waited for it beyond its floor. */
  readonly waiting?: number | undefined;
}
