import type { ConnectionValue, ConsumerChanges, DeadLetterReason, LogSpace } from '../../contract/index.ts';
import type { SavedClock } from '../../shared/dedupe-clock.ts';

/** An append with a dedupe key, as the writer judges it. */
export interface KeyedAppend {
  /** Index among the commit's appends. */
  readonly index: number;
  readonly ref: string;
  readonly key: string;
  /** The address as text and what else is compared, part of the fingerprint. */
  readonly place: string;
  readonly refuse: boolean;
  /** Whether the key is looked up, and not only remembered. */
  readonly compare: boolean;
  /** Entries of its source at or before this time, in log time, are forgotten. */
  readonly after: number;
}

/** An exception row on its way to a thread. `detail` is JSON of its small fields, `record` the copy of the event. */
export interface WireException {
  readonly consumer: string;
  readonly position: number;
  readonly detail: string;
  readonly record: Uint8Array;
}

/** A dead letter on its way to a thread. `consumer` is null for ingress, `renderedBody` when it was never rendered. */
export interface WireDeadLetter {
  readonly id: string;
  readonly consumer: string | null;
  readonly reason: DeadLetterReason;
  readonly detail: string;
  readonly record: Uint8Array;
  readonly renderedBody: Uint8Array | null;
  /** Row of the event in this log; null when it never was in it. */
  readonly position: number | null;
}

/** How a tracked delivery ended, on its way to a thread. `at` is ms since the epoch, `detail` JSON of the other fields. */
export interface WireOutcome {
  readonly ref: string;
  readonly consumer: string;
  readonly at: number;
  readonly detail: string;
}

/** State changes other than appends, positions as row numbers. */
export interface WireChanges {
  readonly matched?: number;
  readonly consumers: ConsumerChanges;
  readonly floors: readonly {
    readonly consumer: string;
    readonly floor: number | null;
    readonly waiting: number | null;
  }[];
  readonly putExceptions: readonly WireException[];
  readonly removeExceptions: readonly { readonly consumer: string; readonly position: number }[];
  readonly putDeadLetters: readonly WireDeadLetter[];
  readonly removeDeadLetters: readonly string[];
  readonly outcomes: readonly WireOutcome[];
  readonly values: readonly ConnectionValue[];
}

/** One commit. Its records are the next `appends` of the batch. */
export interface WireCommit {
  readonly appends: number;
  readonly keyed: readonly KeyedAppend[];
  readonly changes: WireChanges | undefined;
}

/** When a batch was made, in log time (see `DedupeClock`). */
export interface BatchTime {
  readonly at: number;
  /** Entries of all sources at or before this are forgotten. */
  readonly lowest: number;
}

/** What arrived while the last batch was written: one transaction. */
export interface WireBatch {
  readonly type: 'batch';
  readonly now: BatchTime;
  readonly commits: readonly WireCommit[];
  /** All records of all commits, unsealed, one after the other. */
  readonly records: ArrayBuffer;
  /** Bytes of `records` in use. */
  readonly bytes: number;
  readonly ends: Float64Array<ArrayBuffer>;
  readonly received: Float64Array<ArrayBuffer>;
}

/** Asks the writer thread for a retention run; `retained` with the same id answers it. */
export interface RetainRequest {
  readonly type: 'retain';
  readonly id: number;
  /** Events received before this may go, ms. */
  readonly before: number;
  readonly maxBytes: number;
  readonly floor: number | undefined;
  /** Saved along with it, so that a crash loses little of it. */
  readonly clock: SavedClock;
}

/** What the main thread sends to the writer thread. */
export type WriterRequest = WireBatch | RetainRequest | { readonly type: 'close'; readonly clock: SavedClock };

/** An append that was not simply stored at the next row. */
export interface SpecialVerdict {
  readonly index: number;
  readonly type: 'mismatch' | 'duplicate' | 'refused';
  readonly position: number;
  readonly ref: string;
}

/** What became of one commit. `first` is the row of the first stored append. */
export type WireResult =
  | { readonly type: 'done'; readonly first: number; readonly specials: readonly SpecialVerdict[] }
  | { readonly type: 'throttled'; readonly message: string }
  | { readonly type: 'rejected'; readonly message: string };

/** The writer thread has opened the log; comes once, before any other reply but `failed`. */
export interface WriterReady {
  readonly type: 'ready';
  readonly epoch: string;
  /** The row of the next append. */
  readonly next: number;
  readonly lastReceived: number;
  /** The state that the dedupe clock continues from. */
  readonly clock: SavedClock;
}

/** Why the writer thread has ended. Only opening can be `refused` or find the log `locked`. */
export type FailureKind = 'failed' | 'refused' | 'locked';

/** What the writer thread sends: `written` answers a batch, `failed` ends the log for good, `space` comes unasked. */
export type WriterReply =
  | WriterReady
  | { readonly type: 'written'; readonly results: readonly WireResult[]; readonly checkpointDue: boolean }
  | { readonly type: 'retained'; readonly id: number; readonly removed: number }
  | { readonly type: 'space'; readonly space: LogSpace }
  | { readonly type: 'failed'; readonly message: string; readonly why: FailureKind }
  | { readonly type: 'closed'; readonly isMerged: boolean };
