import { comparePositions, type ExceptionRow, originOf, type Position, type StoredEvent } from '@magpie/bus';
import type { Match } from '@magpie/routing';
import type { FloorSource } from '../../log-access/state-writer.ts';
import type { Delivery } from '../delivery.ts';
import type { Lanes } from '../lanes.ts';
import type { TargetInForce } from '../target-in-force.ts';
import type { WakeUp } from '../wake-up.ts';
import type { BacklogDeps, RestoredState } from './deps.ts';
import { endIfExpired } from './expiry.ts';
import type { BacklogLimits } from './limits.ts';
import { LoadedDeliveries } from './loaded-deliveries.ts';
import { LogBacklog } from './log-backlog.ts';
import { PositionRanges } from './position-ranges.ts';
import { RestoredRows } from './restored-rows.ts';

/** A lagging target persists its backlog size whenever it has grown by this fraction of `backlog.bytes`. */
const PERSIST_GROWTH = 1 / 32;

/**
 * The deliveries of one target in log order: as many as fit in memory, the others in the log. When memory is full it stops taking
 * from the router (`lagging`) and later reads on from the log itself until it has caught up.
 */
export class Backlog implements FloorSource {
  readonly consumer: string;
  readonly #deps: BacklogDeps;
  readonly #inForce: TargetInForce;
  readonly #lanes: Lanes;
  readonly #wake: WakeUp;
  readonly #loaded: LoadedDeliveries;
  /** Events read from the log at once. */
  readonly #batch: number;
  readonly #rows = new RestoredRows();
  /** Up to here everything was taken or is not for this target. */
  #cursor: Position | undefined;
  readonly #inLog = new LogBacklog();
  /** Ranges to skip while catching up. */
  readonly #skipped = new PositionRanges();
  #lagging = false;
  /** Whether `begin` was called; until then it only counts what is offered. */
  #begun = false;
  /** The position matched before the first delivery offered before `begin`. */
  #first: Position | undefined;
  /** Positions up to here may already have been sent before the restart: they are marked redelivered. */
  #maybeSentUpTo: Position | undefined;
  /** `waiting` when it was written last. */
  #persisted = 0;
  #reading = false;
  #closed = false;

  /** `limits` bounds what is kept in memory; `wake` is called when deliveries have been read back from the log. */
  constructor(inForce: TargetInForce, lanes: Lanes, limits: BacklogLimits, wake: WakeUp, deps: BacklogDeps) {
    this.consumer = inForce.target.consumer;
    this.#inForce = inForce;
    this.#lanes = lanes;
    this.#loaded = new LoadedDeliveries(limits);
    this.#batch = limits.read;
    this.#wake = wake;
    this.#deps = deps;
  }

  get lagging(): boolean {
    return this.#lagging;
  }

  /** The last position up to which everything is settled or parked; null when there is nothing to remember. */
  floor(): Position | null {
    return this.#lagging || this.#loaded.size > 0 ? (this.#loaded.floor ?? null) : null;
  }

  /** Deliveries that are not out of the way, in log order; some of them may be settled. */
  pending(): readonly Delivery[] {
    return this.#loaded.pending();
  }

  /** Deliveries that hold the floor though something later is out of the way: without a row of their own that would be repeated. */
  holdingFloor(): readonly Delivery[] {
    return this.#loaded.holdingFloor();
  }

  /** Bytes of bodies that wait, in memory and in the log. */
  get bytes(): number {
    return this.#unparked + this.#loaded.parked.bytes;
  }

  /** Bytes beyond the floor: reading on from there comes to them. Called when the floor is written. */
  waiting(): number {
    this.#persisted = this.#unparked;
    return this.#persisted;
  }

  get #unparked(): number {
    return this.#loaded.bytes + this.#inLog.bytes;
  }

  /** Receipt time of the oldest delivery in memory. */
  get oldest(): number | undefined {
    return this.#loaded.oldest;
  }

  /** Deliveries in memory besides the parked ones. */
  get size(): number {
    return this.#loaded.size;
  }

  /** Deliveries with an exception row (refused ones and those held behind them), and the bytes of their bodies. */
  get parked(): { readonly size: number; readonly bytes: number } {
    return this.#loaded.parked;
  }

  /** The position matched before the first delivery that was offered before `begin`. */
  get first(): Position | undefined {
    return this.#first;
  }

  /** Whether an event is here already, read from the log before the router came to it, or has ended as a dead letter. */
  isTaken(position: Position): boolean {
    return this.#isRead(position) || this.#rows.isKnown(position);
  }

  /**
   * Takes a delivery from the router; false when it waits in the log. `before` is the position matched before this event,
   * undefined in a new log.
   */
  offer(stored: StoredEvent, match: Match, before: Position | undefined): boolean {
    if (!this.#begun) this.#first ??= before ?? originOf(stored.position);
    if (!this.#begun || this.#lagging) {
      this.#inLog.offered(stored.event.body.byteLength);
      this.#skipped.gap();
      if (this.#lagging && this.#unparked - this.#persisted > this.#inForce.target.backlog.bytes * PERSIST_GROWTH)
        this.#touch();
      return false;
    }
    const place = before ?? originOf(stored.position);
    if (this.#loaded.hasRoomAfter(place)) this.#take(stored, match);
    else this.#fallBehind(stored, place);
    return !this.#lagging;
  }

  /** Whether `skip` can be called: not after very many changes between what is to be skipped and what is not. */
  get maySkip(): boolean {
    return this.#skipped.hasRoom || (this.#begun && !this.#lagging);
  }

  /** A delivery has ended unsent or is not for this target after all: reading on skips it. Called while `maySkip`. */
  skip({ position }: StoredEvent): void {
    if (this.#begun && !this.#lagging) this.#cursor = position;
    else this.#skipped.add(position);
  }

  /** Skips a range of the log, both ends included. Called before `begin`. */
  leaveOut(from: Position, to: Position): void {
    this.#skipped.addFirst(from, to);
  }

  /**
   * Begins: behind the router at a floor, or without one with what was offered since it was made. Called once, after
   * `restore` and `leaveOut`.
   */
  begin(floor: Position | undefined, { matched, maybeSentUpTo, waiting }: RestoredState): void {
    this.#begun = true;
    this.#inLog.begin(waiting, matched);
    this.#maybeSentUpTo = maybeSentUpTo;
    const from = floor ?? this.#first;
    this.#reviveUpTo(from);
    // Nothing lies behind: what was left out is never come to, and must not grow together with what is left out later.
    if (from === undefined) return void this.#skipped.clear();
    this.#loaded.startAt(from);
    this.#cursor = from;
    this.#lagging = true;
    this.#touch();
    this.#refill();
  }

  /**
   * Takes back deliveries that have an exception row. Called once, before `begin`, in log order: each comes in when reading
   * has reached its place, so that nothing overtakes what lies before it. Those with a `dead` letter have ended.
   */
  restore(rows: readonly ExceptionRow[], dead: ReadonlySet<Position>): void {
    this.#rows.restore(rows, dead);
  }

  /** Takes in one delivery from its exception row, unless it is here already: at once, or after `begin`. */
  revive(row: ExceptionRow): void {
    if (!this.#begun) return void this.#rows.add(row);
    if (this.#loaded.isParked(row.position)) return;
    this.#loaded.park(this.#lanes.restore(row, this.#inForce.target.retry.backoff.max));
  }

  /** The exception row of a delivery is durable. */
  park(delivery: Delivery): void {
    if (delivery.parked || delivery.state === 'settled') return;
    this.#loaded.park(delivery);
    this.#moved();
  }

  /** A delivery was settled: moves the floor and reads on when there is room. */
  settled(delivery: Delivery): void {
    this.#loaded.settled(delivery);
    this.#moved();
  }

  close(): void {
    this.#closed = true;
  }

  /** The floor may have moved, and there may be room. */
  #moved(): void {
    this.#touch();
    if (this.#lagging && this.#loaded.isHalfEmpty) this.#refill();
  }

  /** What comes from now on waits in the log. The floor must be remembered, though nothing is in the queue yet. */
  #fallBehind({ event }: StoredEvent, before: Position): void {
    this.#lagging = true;
    this.#cursor = before;
    this.#inLog.offered(event.body.byteLength);
    this.#touch();
  }

  /** Takes in what was read from the log, unless it is to be left out. */
  #readBack(stored: StoredEvent, match: Match): void {
    const { position, event } = stored;
    if (this.#skipped.has(position)) return;
    this.#inLog.read(position, event.body.byteLength);
    if (this.#rows.isKnown(position) || endIfExpired(event, this.#inForce.target, this.#deps)) return;
    this.#take(stored, match);
  }

  #take(stored: StoredEvent, { key, error }: Match): void {
    this.#cursor = stored.position;
    const delivery = this.#lanes.enter(stored, key, error);
    delivery.redelivered = isUpTo(this.#maybeSentUpTo, stored.position);
    this.#loaded.add(delivery);
    this.#touch();
  }

  /** The floor, or what waits behind it, is written with the next commit. */
  #touch(): void {
    this.#deps.writer.touch(this);
  }

  /** Takes in the rows up to a position; all of them without one. */
  #reviveUpTo(position: Position | undefined): void {
    for (const row of this.#rows.takeUpTo(position)) this.revive(row);
  }

  readonly #isRead = (position: Position): boolean => isUpTo(this.#cursor, position);

  #refill(): void {
    if (this.#reading || this.#closed) return;
    this.#reading = true;
    this.#catchUp().catch(this.#deps.onFatal);
  }

  /** `#reading` ends in the same turn as the last look, so that no call of `#refill` falls between the two. */
  async #catchUp(): Promise<void> {
    while (this.#lagging && !this.#closed && !this.#loaded.isFull) {
      const changed = this.#deps.reader.changed();
      const routed = this.#deps.routed();
      const events = await this.#deps.reader.read(this.#cursor, this.#batch);
      for (const stored of events) {
        if (this.#loaded.isFull) break;
        this.#reviveUpTo(stored.position);
        const match = this.#deps.match(stored, this.consumer);
        if (match) this.#readBack(stored, match);
        this.#cursor = stored.position;
      }
      // No event is left up to the router's position: retention has removed them.
      if (events.length === 0 && routed && !this.#isRead(routed)) this.#cursor = routed;
      this.#joinRouter();
      this.#wake.call();
      if (events.length === 0 && this.#lagging) await changed;
    }
    this.#reading = false;
  }

  /** Goes back to taking from the router once nothing lies between the two. Synchronous, so nothing is missed. */
  #joinRouter(): void {
    const routed = this.#deps.routed();
    if (routed !== undefined && !this.#isRead(routed)) return;
    this.#lagging = false;
    this.#reviveUpTo(undefined);
    // Rows that were written ahead of the router's stored position are still to be reached.
    this.#rows.forget(this.#isRead);
    this.#skipped.clear();
    this.#inLog.clear();
    this.#touch();
  }
}

/** Whether a position lies at or before a bound; false without one. */
const isUpTo = (bound: Position | undefined, position: Position): boolean =>
  bound !== undefined && comparePositions(position, bound) <= 0;
