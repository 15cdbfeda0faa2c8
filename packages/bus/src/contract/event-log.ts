import type { Appended, Commit } from './commit.ts';
import type { Position } from './position.ts';
import type { DeadLetterQuery, EventQuery, EventsFound } from './queries.ts';
import type { DeadLetter, Outcome, StoredEvent } from './records.ts';
import type { LogSpace, LogState, LogStats, OrphanedConsumer } from './state.ts';

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
   * when that is used up, at the longest until `close`), with `LogFailed` always after a failed fsync and after `close`,
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
   * Up to here no consumer needs the log: the lowest of `matched` and all floors, without those of consumers
   * orphaned for longer than `ORPHAN_PIN_MS`. The origin while nothing has been matched, undefined while the log has
   * never had an event. For `retain`; cheap enough for every few seconds.
   */
  lowestFloor(): Promise<Position | undefined>;
  /** Consumers that are no longer configured, by name. Reads no events. */
  orphans(): Promise<readonly OrphanedConsumer[]>;
  /** What a connection keeps, by key. Read when it connects for the first time. */
  values(connection: string): Promise<ReadonlyMap<string, string>>;
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
   * Whether appends are taken, for status, metrics and for holding intake until there is room again. Reports a lack
   * before the first commit rejects with `Throttled`. Local, no I/O; called per request.
   */
  space(): LogSpace;
  /** Alarms for the operator, a sentence each: records that were damaged and skipped, a clock that cannot be right. Local, no I/O. */
  alarms(): readonly string[];
  /**
   * A source has lost its connection, or has it again. Its dedupe keys do not age while it is down, so that what it repeats
   * afterwards is recognised, however long the outage. Every source counts as up at first. Local, no I/O.
   */
  linked(source: string, isUp: boolean): void;
  /**
   * Milliseconds since a receipt at `receivedAt` (wall time, ms since the epoch), corrected for steps of the wall clock as far as
   * they are known, also those made while no gateway ran. Local, no I/O; called per attempt of a delivery.
   */
  ageOf(receivedAt: number): number;
  /** Waits for outstanding commits, checkpoints, releases the lock. Idempotent. */
  close(): Promise<void>;
}
