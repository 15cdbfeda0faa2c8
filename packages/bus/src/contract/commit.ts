import type { Event } from '@magpie/contract';
import type { Position } from './position.ts';
import type { DeadLetter, ExceptionRow, Outcome } from './records.ts';

/** One event to append. */
export interface Append {
  /** Its ref is greater than those of all events before it, as `newRef` makes them: `find` searches by that. */
  readonly event: Event;
  /**
   * What to do when the event's `dedupeKey` is compared (see `DedupeRule`) and known with another content (address,
   * body and `content`): append it anyway and report `mismatch` (default), or refuse it.
   */
  readonly onMismatch?: 'append' | 'refuse';
  /** What else must be equal in a repeat; compared, not kept. */
  readonly content?: string;
}

/** What became of one append, in the order of the request. `position` of `duplicate` and `refused` is the first event's. */
export type Appended =
  | { readonly type: 'stored'; readonly position: Position; readonly mismatch?: true }
  | { readonly type: 'duplicate'; readonly position: Position; readonly ref: string }
  | { readonly type: 'refused'; readonly position: Position; readonly ref: string };

/**
 * Changes of the set of known consumers, applied before everything else of a commit, `remove` first: a commit may remove
 * a consumer and give a new one of the same name its floor. All are idempotent.
 */
export interface ConsumerChanges {
  /** Makes consumers known since a time, ms since the epoch; one that is known or orphaned is known from then on. */
  readonly put?: readonly { readonly consumer: string; readonly since: number }[];
  /**
   * Consumers that are no longer configured, as of a time in ms since the epoch. Their floors and exceptions stay. An
   * orphaned consumer keeps its first time; an unknown one stays unknown.
   */
  readonly orphan?: readonly { readonly consumer: string; readonly at: number }[];
  /** Forgets consumers with their floors and exceptions; their dead letters and outcomes stay. */
  readonly remove?: readonly string[];
}

/** A small value that a connection keeps, see `ConnectionStore`. */
export interface ConnectionValue {
  readonly connection: string;
  readonly key: string;
  /** Undefined: it is forgotten. */
  readonly value: string | undefined;
}

/** All state changes of the gateway. One commit is atomic and durable as a whole. */
export interface Commit {
  readonly consumers?: ConsumerChanges;
  readonly append?: readonly Append[];
  /** Every event up to and including this position has been matched against the routes. */
  readonly matched?: Position;
  /**
   * Consumers whose floor moved: every matched event up to and including `floor` is settled or an exception row.
   * `floor: null` removes the row: the consumer is idle, its floor is `matched`. `waiting` is how many bytes of bodies wait
   * for it beyond the floor, kept for the next process.
   */
  readonly floors?: readonly {
    readonly consumer: string;
    readonly floor: Position | null;
    readonly waiting?: number;
  }[];
  readonly exceptions?: {
    readonly put?: readonly ExceptionRow[];
    readonly remove?: readonly { readonly consumer: string; readonly position: Position }[];
  };
  readonly deadLetters?: { readonly put?: readonly DeadLetter[]; readonly remove?: readonly string[] };
  readonly outcomes?: readonly Outcome[];
  /** What connections keep; a later value of a key replaces an earlier one. */
  readonly values?: readonly ConnectionValue[];
}
