import type { AddressPattern, Event, EventKind, OutgoingEvent, TargetRequest } from '@magpie/contract';

declare const position: unique symbol;

/**
 * A place in the log: `<epoch>:<partition>:<offset>`, opaque to everyone but the store and `comparePositions`. Strictly
 * increasing per partition, gaps allowed, never reused; the epoch changes when a log is restored from a backup.
 */
export type Position = string & { readonly [position]: true };

/** Order of two positions of the same epoch and partition: negative, zero or positive. Called several times per delivery. */
export function comparePositions(a: Position, b: Position): number {
  // They differ only in the number at their end, which has no leading zeros: of two numbers the longer one is greater.
  if (a.length !== b.length) return a.length - b.length;
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** The position before every event of the same log and partition. */
export const originOf = (place: Position): Position => `${place.slice(0, place.lastIndexOf(':'))}:0` as Position;

/** An event as the log returns it. */
export interface StoredEvent {
  readonly position: Position;
  readonly event: Event;
}

/** One event to append. */
export interface Append {
  /** Its ref is greater than those of all events before it, as `newRef` makes them: `find` searches by that. */
  readonly event: Event;
  /**
   * What to do when the event's `dedupeKey` is compared (see `DedupeRule`) and known with another content (address,
   * body and `content`): append it all the same and report `mismatch` (default), or refuse it.
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

/** One failed attempt of a delivery. */
export interface Attempt {
  /** ms since the epoch. */
  readonly at: number;
  /** Class of the error, a name of the contract's taxonomy. */
  readonly error: string;
  readonly message: string;
}

/**
 * A delivery above its consumer's floor that is not simply on its way: refused and waiting for a retry, or held behind such
 * a one in its lane. Carries a copy of the event, so that it does not keep retention from removing it.
 */
export interface ExceptionRow {
  readonly consumer: string;
  readonly lane: string;
  readonly position: Position;
  /** `retry`: has failed and waits; `held`: waits behind an earlier one of its lane; `blocked`: gave up, holds the lane. */
  readonly state: 'retry' | 'held' | 'blocked';
  readonly attempts: readonly Attempt[];
  /** When to try again, ms since the epoch. */
  readonly nextAttempt?: number;
  /** An earlier send may have arrived. */
  readonly redelivered?: boolean;
  readonly event: Event;
}

/** Why a delivery ended as a dead letter. `ingress`: the event could not enter the log as it was. */
export const DEAD_LETTER_REASONS = ['rejected', 'attempts', 'age', 'expired', 'bounced', 'backlog', 'ingress'] as const;
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
}

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
  /** Bytes of bodies that waited for busy consumers beyond their floors, where that was noted. */
  readonly waiting: ReadonlyMap<string, number>;
  readonly exceptions: readonly ExceptionRow[];
  /**
   * By consumer, positions of dead letters whose delivery would be repeated after a restart: they lie above the floor (of an
   * idle consumer: above `matched`) or have an exception row. A store whose commits are atomic leaves them when a crash falls
   * between the commit of the dead letter and that of the floor.
   */
  readonly dead: ReadonlyMap<string, ReadonlySet<Position>>;
}

/** Filters of a dead letter list; all given ones must hold. */
export interface DeadLetterQuery {
  readonly consumer?: string;
  readonly reason?: DeadLetterReason;
  /** Only those that ended at or after this time, ms since the epoch. */
  readonly since?: number;
  /** Only those that ended before this time, ms since the epoch. */
  readonly until?: number;
  /** Only those of events from this connection. */
  readonly source?: string;
  /** Only those of this event. */
  readonly ref?: string;
  /** Only ids greater than this (older first). */
  readonly after?: string;
  readonly limit: number;
}

/** Which events are wanted; all given parts must hold. Plain data, so that a store may judge events where they lie. */
export interface EventFilter {
  /** Name of the connection they came from. */
  readonly connection?: string;
  readonly pattern?: AddressPattern;
  readonly kinds?: readonly EventKind[];
}

/** What `EventLog.search` looks for, and how far it goes. */
export interface EventQuery {
  readonly filter: EventFilter;
  /** Exclusive. Undefined: from the oldest event, or from the newest with `back`. */
  readonly from?: Position;
  /** From the newest to the oldest instead of from the oldest to the newest. */
  readonly back?: boolean;
  /** Most events to return, at least 1. */
  readonly limit: number;
  /** Most bytes of bodies and headers to return, beyond the first event. Default `READ_BYTES`. */
  readonly maxBytes?: number;
  /** Most events to look at, so that a filter that matches nothing ends. Default: all of them. */
  readonly maxScan?: number;
}

/** What a search has found, and how far it came. */
export interface EventsFound {
  /** In the order of the search. */
  readonly events: readonly StoredEvent[];
  /** The last event looked at, whether it passed or not: the search goes on from here. Undefined when there was none. */
  readonly reached: Position | undefined;
  /** Number of events looked at. */
  readonly scanned: number;
  /** Whether the search has come to the end of the log. False when a limit has ended it, even at the last event. */
  readonly isEnd: boolean;
}

/** Bytes of bodies and headers that one read returns at the most, beyond its first event, unless it says otherwise. */
export const READ_BYTES = 1024 * 1024;

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

/**
 * The durable event log and the state of its consumers.
 *
 * What a store must promise: a commit is atomic, and durable when it resolves; positions rise in commit order, which is call
 * order within a process; a read sees every commit that has resolved in its process. Nothing here says file, lock or thread.
 * Four members are synchronous because they are called per event or per request; a store on another machine answers them
 * from what it has last heard: `head` is its own last commit or the newest of others it knows of (it may lag, it never goes
 * back), `space` and `alarms` are the last measurement, `parsePosition` compares epochs. Everything else is asynchronous and
 * may take a round trip. Where several processes write, `head` grows without a commit of one's own; today's readers learn of
 * new events from the commits of their own process alone, so such a store has to add a notification.
 */
export interface EventLog {
  /**
   * Applies a commit; resolves, in call order, once it is durable (fsynced), with one result per append. Any number of
   * calls may be outstanding; what arrives while one is being written is written together next (group commit).
   * Rejects with `Throttled` while the disk is full (only commits that append; the others use a reserve, and wait for room
   * when that is used up, at the longest until `close`), with `LogFailed` for ever after a failed fsync and after `close`,
   * with `RangeError` for a position of another log.
   */
  commit(change: Commit): Promise<readonly Appended[]>;
  /**
   * Up to `limit` events after `after` (exclusive; undefined: from the oldest), in order, and up to `maxBytes` of bodies and
   * headers beyond the first event (default `READ_BYTES`). Sees every resolved commit. Only an empty result means that there
   * is nothing more: a page may be shorter than `limit`. `readBack` likewise.
   */
  read(after: Position | undefined, limit: number, maxBytes?: number): Promise<readonly StoredEvent[]>;
  /** Up to `limit` events before `before` (exclusive; undefined: from the newest), newest first. */
  readBack(before: Position | undefined, limit: number, maxBytes?: number): Promise<readonly StoredEvent[]>;
  /**
   * Events that pass a filter, in either direction. Judges them where they lie, in slices, so that neither the caller's
   * thread nor other reads wait for a search that finds nothing. Called per page of history.
   */
  search(query: EventQuery): Promise<EventsFound>;
  /** The event with that ref, or undefined when it is unknown or no longer kept. */
  find(ref: string): Promise<StoredEvent | undefined>;
  /** The last position that can be read; undefined while the log has never had an event. Never goes back. Local, no I/O. */
  head(): Position | undefined;
  /**
   * The position just before the first event received at or after a time (ms since the epoch), for `start: <time>`;
   * undefined when that is the oldest event or there is none: then read from the oldest.
   */
  positionBefore(time: number): Promise<Position | undefined>;
  /** Checks that a text is a position of this log's epoch; undefined when it is of another, or garbage. */
  parsePosition(text: string): Position | undefined;
  state(): Promise<LogState>;
  /**
   * Up to here no consumer needs the log any more: the lowest of `matched` and all floors, without those of consumers
   * orphaned for longer than `ORPHAN_PIN_MS`. The origin while nothing has been matched, undefined while the log has
   * never had an event. For `retain`; cheap enough for every few seconds.
   */
  lowestFloor(): Promise<Position | undefined>;
  /** Consumers that are configured no more, by name. Reads no events. */
  orphans(): Promise<readonly OrphanedConsumer[]>;
  /** By id. May return fewer than asked for to bound memory: only an empty result means that there is nothing more. */
  deadLetters(query: DeadLetterQuery): Promise<readonly DeadLetter[]>;
  deadLetter(id: string): Promise<DeadLetter | undefined>;
  outcomes(ref: string): Promise<readonly Outcome[]>;
  /**
   * Removes events older than `maxAge` ms or beyond `maxBytes`, never past `floor` (undefined: past nothing but the
   * limits); an event at `floor` may go. Outcomes of removed events go too. Resolves to the number of events removed.
   * Called every minute, and at once when intake stops for want of space: then all room it makes goes back to the disk.
   */
  retain(limits: { maxAge: number; maxBytes: number; floor: Position | undefined }): Promise<number>;
  stats(): Promise<LogStats>;
  /**
   * Whether appends are taken, for status, metrics and whoever holds intake back until there is room again. Reports a lack
   * before the first commit rejects with `Throttled`. Local, no I/O; called per request.
   */
  space(): LogSpace;
  /** What a human must know of the log, a sentence each: records that were damaged and skipped. Local, no I/O. */
  alarms(): readonly string[];
  /**
   * A source has lost its connection, or has it again. Its dedupe keys do not age while it is down, so that what it repeats
   * afterwards is recognised, however long the outage. Every source counts as up at first. Local, no I/O.
   */
  linked(source: string, isUp: boolean): void;
  /** Waits for outstanding commits, checkpoints, releases the lock. Idempotent. */
  close(): Promise<void>;
}

/** How long, in ms, the floor of an orphaned consumer keeps events from being removed: a day. */
export const ORPHAN_PIN_MS = 86_400_000;

/** The log can no longer be trusted (a failed fsync, a corrupt file, a file removed under it): stop the process, do not retry. */
export class LogFailed extends Error {
  override readonly name = 'LogFailed';
}

/**
 * The log cannot be opened as things are, and nothing has been changed: its directory cannot be written, something of it is
 * missing, it is of a newer version or no log at all. The message says what to do. Comes from opening only.
 */
export class LogRefused extends Error {
  override readonly name = 'LogRefused';
}

/** Another process holds the data directory. */
export class LogLocked extends Error {
  override readonly name = 'LogLocked';
}
