import type { Position } from './position.ts';
import type { ExceptionRow } from './records.ts';

/** A consumer the log knows. Times are ms since the epoch. */
export interface KnownConsumer {
  readonly since: number;
  /** Since when it is no longer configured. Its backlog stays until it is configured again or removed. */
  readonly orphanedAt?: number;
}

/** A consumer that is no longer configured. */
export interface OrphanedConsumer {
  readonly consumer: string;
  /** Since when, ms since the epoch. */
  readonly orphanedAt: number;
  /** Whether it has a backlog: a floor or an exception row. */
  readonly backlog: boolean;
}

/** What the log remembers besides the events; read once at start-up, never by a scan of the log. */
export interface LogState {
  /** Undefined in a new log: nothing has been matched. */
  readonly matched: Position | undefined;
  /** Tells a new consumer (no entry) from an idle one (an entry, no floor). */
  readonly consumers: ReadonlyMap<string, KnownConsumer>;
  /** Only busy consumers have a row. */
  readonly floors: ReadonlyMap<string, Position>;
  /** Bytes of bodies that waited for busy consumers beyond their floors, where that was recorded. */
  readonly waiting: ReadonlyMap<string, number>;
  readonly exceptions: readonly ExceptionRow[];
  /**
   * By consumer, positions of dead letters whose delivery would be repeated after a restart: they lie above the floor (of an
   * idle consumer: above `matched`) or have an exception row. A store whose commits are atomic leaves them when a crash falls
   * between the commit of the dead letter and that of the floor.
   */
  readonly dead: ReadonlyMap<string, ReadonlySet<Position>>;
}

/** How long, in ms, the floor of an orphaned consumer keeps events from being removed: a day. */
export const ORPHAN_PIN_MS = 86_400_000;

/** Size of the log for metrics and quotas. */
export interface LogStats {
  readonly events: number;
  readonly bytes: number;
  readonly deadLetters: number;
  readonly oldest: Position | undefined;
}

/**
 * Whether a log takes appends, as last measured: every second, and when a write fails. Sizes in bytes. A store on another
 * machine measures nothing (`free` undefined) and stops intake, with its refusal, while that machine takes no writes.
 */
export interface LogSpace {
  /** Whether commits that append are taken. */
  readonly intake: boolean;
  /** Undefined before the first measurement, and for a store without a disk of its own. */
  readonly free: number | undefined;
  /** What must be free for intake, with the missing part of the reserve; 0 for a store without a disk of its own. */
  readonly needed: number;
  /** Why intake stops and what to do, as a sentence. */
  readonly refusal?: string;
}
