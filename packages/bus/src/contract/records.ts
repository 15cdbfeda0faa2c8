import type { Event, OutgoingEvent, TargetRequest } from '@magpie/contract';
import type { Position } from './position.ts';

/** An event as the log returns it. */
export interface StoredEvent {
  readonly position: Position;
  readonly event: Event;
}

/** One failed attempt of a delivery. */
export interface Attempt {
  /** ms since the epoch. */
  readonly at: number;
  /** Class of the error, a name of the contract's taxonomy. */
  readonly error: string;
  readonly message: string;
}

/**
 * A delivery above its consumer's floor that was refused and waits for a retry, or is held behind such a delivery in its lane.
 * Carries a copy of the event, so that retention may remove the original.
 */
export interface ExceptionRow {
  readonly consumer: string;
  readonly lane: string;
  readonly position: Position;
  /** `retry`: has failed and waits; `held`: waits behind an earlier one of its lane; `blocked`: out of attempts, holds the lane. */
  readonly state: 'retry' | 'held' | 'blocked';
  readonly attempts: readonly Attempt[];
  /** When to try again, ms since the epoch. */
  readonly nextAttempt?: number;
  /** An earlier send may have arrived. */
  readonly redelivered?: boolean;
  readonly event: Event;
}

/** Why a delivery ended as a dead letter. `ingress`: the event could not enter the log as it was. */
export const DEAD_LETTER_REASONS = ['rejected', 'attempts', 'age', 'bounced', 'backlog', 'loop', 'ingress'] as const;
/** One of {@link DEAD_LETTER_REASONS}; shown by the API and counted by metrics. */
export type DeadLetterReason = (typeof DEAD_LETTER_REASONS)[number];

/** A delivery that ended without success, with everything needed to understand and to retry it. */
export interface DeadLetter {
  /** UUIDv7. */
  readonly id: string;
  /** ms since the epoch. */
  readonly at: number;
  /** The target it was for; undefined for ingress. */
  readonly consumer?: string;
  /** Where the event stands (or stood) in the log; undefined for ingress. */
  readonly position?: Position;
  readonly reason: DeadLetterReason;
  /** Class of the last error. */
  readonly error: string;
  readonly message: string;
  readonly attempts: readonly Attempt[];
  readonly event: Event;
  /** The message as rendered for the target, when rendering succeeded. */
  readonly rendered?: { readonly outgoing: OutgoingEvent; readonly target: TargetRequest };
}

/** The final state of one delivery of a tracked event. */
export interface Outcome {
  readonly ref: string;
  readonly consumer: string;
  readonly state: 'confirmed' | 'dead' | 'bounced' | 'expired' | 'dropped';
  readonly at: number;
  readonly confirmedBy?: string;
  readonly attempts: number;
  readonly error?: string;
}
