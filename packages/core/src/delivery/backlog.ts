import { comparePositions, type ExceptionRow, originOf, type Position, type StoredEvent } from '@magpie/bus';
import type { Match } from '@magpie/routing';
import type { LogReader } from '../log/tail.ts';
import type { BacklogOwner, RestoredState } from './backlog-owner.ts';
import { type Delivery, newDelivery } from './delivery.ts';
import { isUpTo, LogBacklog } from './log-backlog.ts';
import { PositionRanges } from './position-ranges.ts';

/**
 * The deliveries of one target in log order, bounded in memory. When it is full it stops taking from the router
 * (`lagging`) and later reads on from the log itself until it has caught up. Deliveries with a durable exception row are
 * parked beside the queue, so that they hold neither the floor nor what comes after them.
 */
export class Backlog {
  readonly #reader: LogReader;
  readonly #owner: BacklogOwner;
  readonly #routed: () => Position | undefined;
  /** Slots below `#start` are cleared, so that what is done can be collected. */
  #queue: (Delivery | undefined)[] = [];
  #start = 0;
  #bytes = 0;
  readonly #parked = new Map<Position, Delivery>();
  #parkedBytes = 0;
  /** Exception rows whose place has not been reached yet, in log order. */
  #rows: ExceptionRow[] = [];
  /** Positions of all rows taken back and of dead letters: reading on from the floor must not take them in again. */
  #restored = new Set<Position>();
  #floor: Position | undefined;
  #cursor: Position | undefined;
  readonly #inLog = new LogBacklog();
  /** What was given up when the backlog was full, or is left out. */
  readonly #given = new PositionRanges();
  #lagging = false;
  /** Whether it has been told where to begin; until then it only notes that there was something. */
  #begun = false;
  /** The position matched before the first delivery offered before `begin`. */
  #first: Position | undefined;
  /** Up to here a former self may have sent already. */
  #doubtful: Position | undefined;
  #reading = false;
  #closed = false;

  /** `routed` tells up to where the router has matched. */
  constructor(reader: LogReader, routed: () => Position | undefined, owner: BacklogOwner) {
    this.#reader = reader;
    this.#routed = routed;
    this.#owner = owner;
  }

  get lagging(): boolean {
    return this.#lagging;
  }

  /** The last position up to which everything is settled or parked; null when there is nothing to remember. */
  floor(): Position | null {
    return this.#lagging || this.#start < this.#queue.length ? (this.#floor ?? null) : null;
  }

  /** Deliveries that are not out of the way, in log order; some of them may be settled. */
  pending(): readonly Delivery[] {
    const queued = this.#queue.slice(this.#start).filter((each) => each !== undefined && !each.parked) as Delivery[];
    if (this.#parked.size === 0) return queued;
    return [...this.#parked.values(), ...queued].sort((a, b) => comparePositions(a.position, b.position));
  }

  /** Bytes of bodies that wait, in memory and in the log. */
  get bytes(): number {
    return this.waiting + this.#parkedBytes;
  }

  /** Those beyond the floor: reading on from there comes to them. */
  get waiting(): number {
    return this.#bytes + this.#inLog.bytes;
  }

  /** Receipt time of the oldest delivery in memory. */
  get oldest(): number | undefined {
    return this.#queue[this.#start]?.event.receivedAt;
  }

  /** Deliveries in memory besides the parked ones. */
  get size(): number {
    return this.#queue.length - this.#start;
  }

  /** Deliveries with an exception row: refused ones and those held behind them. */
  get parked(): number {
    return this.#parked.size;
  }

  /** The position matched before the first delivery that was offered before `begin`. */
  get first(): Position | undefined {
    return this.#first;
  }

  /** Whether an event is here already, read from the log before the router came to it, or has ended as a dead letter. */
  isTaken(position: Position): boolean {
    return this.#isRead(position) || this.#restored.has(position);
  }

  /** Takes a delivery from the router. `before` is the position matched before this event, undefined in a new log. */
  offer(stored: StoredEvent, match: Match, before: Position | undefined): void {
    if (!this.#begun) this.#first ??= before ?? originOf(stored.position);
    if (!this.#begun || this.#lagging) {
      this.#inLog.offered(stored.event.body.byteLength);
      this.#given.gap();
      return;
    }
    const place = before ?? originOf(stored.position);
    if (this.#start === this.#queue.length) this.#floor = place;
    if (this.#isFull()) this.#fallBehind(stored, place);
    else this.#accept(stored, match);
  }

  /** Whether `skip` can be called: not after very many changes between what is to be skipped and what is not. */
  get maySkip(): boolean {
    return this.#given.hasRoom || (this.#begun && !this.#lagging);
  }

  /** A delivery has ended unsent or is not for this target after all: reading on skips it. Called while `maySkip`. */
  skip({ position }: StoredEvent): void {
    if (this.#begun && !this.#lagging) this.#cursor = position;
    else this.#given.add(position);
  }

  /** Leaves out a stretch of the log, both ends included. Called before `begin`. */
  leaveOut(from: Position, to: Position): void {
    this.#given.addFirst(from, to);
  }

  /**
   * Begins: behind the router at a floor, or without one with what was offered since it was made. Called once, after
   * `restore` and `leaveOut`.
   */
  begin(floor: Position | undefined, { matched, doubtful, waiting }: RestoredState): void {
    this.#begun = true;
    this.#inLog.begin(waiting, matched);
    this.#doubtful = doubtful;
    const from = floor ?? this.#first;
    this.#reviveUpTo(from);
    if (from === undefined) return;
    this.#floor = from;
    this.#cursor = from;
    this.#lagging = true;
    this.#owner.moved();
    this.#refill();
  }

  /**
   * Takes back deliveries that have an exception row. Called once, before `begin`, in log order: each comes in when reading
   * has reached its place, so that nothing overtakes what lies before it. Those with a `dead` letter have ended.
   */
  restore(rows: readonly ExceptionRow[], dead: ReadonlySet<Position>): void {
    const all = new Map([...this.#rows, ...rows].map((row) => [row.position, row]));
    this.#rows = [...all.values()].sort((a, b) => comparePositions(a.position, b.position));
    this.#restored = new Set([...dead, ...all.keys()]);
  }

  /** Takes in one delivery from its exception row, unless it is here already: now, or when it has been told to begin. */
  revive(row: ExceptionRow): void {
    if (!this.#begun) return void this.#rows.push(row);
    if (this.#parked.has(row.position)) return;
    const delivery = newDelivery(row, this.#owner.laneFor(row.lane));
    delivery.attempts.push(...row.attempts);
    delivery.redelivered = row.redelivered ?? false;
    delivery.remembered = true;
    delivery.parked = true;
    this.#parked.set(row.position, delivery);
    this.#parkedBytes += row.event.body.byteLength;
    this.#owner.restored(delivery, row);
  }

  /** The exception row of a delivery is durable. */
  park(delivery: Delivery): void {
    if (delivery.parked || delivery.state === 'settled') return;
    delivery.parked = true;
    this.#parked.set(delivery.position, delivery);
    this.#parkedBytes += delivery.event.body.byteLength;
    this.#advance();
  }

  /** A delivery was settled: moves the floor and reads on when there is room. */
  settled(delivery: Delivery): void {
    if (this.#parked.delete(delivery.position)) this.#parkedBytes -= delivery.event.body.byteLength;
    this.#advance();
  }

  close(): void {
    this.#closed = true;
  }

  #advance(): void {
    for (let first = this.#queue[this.#start]; first?.parked || first?.state === 'settled'; ) {
      this.#queue[this.#start++] = undefined;
      this.#floor = first.position;
      this.#bytes -= first.event.body.byteLength;
      first = this.#queue[this.#start];
    }
    if (this.#start > 256 && this.#start * 2 > this.#queue.length) {
      this.#queue = this.#queue.slice(this.#start);
      this.#start = 0;
    }
    this.#owner.moved();
    if (this.#lagging && this.size * 2 < this.#owner.limits.deliveries) this.#refill();
  }

  /** What comes from now on waits in the log. The floor must be remembered, though nothing is in the queue yet. */
  #fallBehind({ event }: StoredEvent, before: Position): void {
    this.#lagging = true;
    this.#cursor = before;
    this.#inLog.offered(event.body.byteLength);
    this.#owner.moved();
  }

  #isFull(): boolean {
    const queued = this.size;
    const { deliveries, bytes, parked, parkedBytes } = this.#owner.limits;
    if (queued >= deliveries || (queued > 0 && this.#bytes >= bytes)) return true;
    return this.#parked.size >= parked || this.#parkedBytes >= parkedBytes;
  }

  #accept(stored: StoredEvent, { key, error }: Match): void {
    const { position, event } = stored;
    this.#cursor = position;
    if (this.#given.has(position)) return;
    if (this.#lagging) this.#inLog.read(position, event.body.byteLength);
    if (this.#restored.has(position) || (this.#lagging && this.#owner.expired(event))) return;
    const delivery = newDelivery(stored, this.#owner.laneFor(key), error);
    delivery.redelivered = isUpTo(this.#doubtful, position);
    this.#queue.push(delivery);
    this.#bytes += event.body.byteLength;
    this.#owner.accepted(delivery);
  }

  /** Takes in the rows up to a position; all of them without one. */
  #reviveUpTo(position: Position | undefined): void {
    for (let row = this.#rows[0]; row; row = this.#rows[0]) {
      if (position !== undefined && comparePositions(row.position, position) > 0) return;
      this.#rows.shift();
      this.revive(row);
    }
  }

  readonly #isRead = (position: Position): boolean => isUpTo(this.#cursor, position);

  #refill(): void {
    if (this.#reading || this.#closed) return;
    this.#reading = true;
    this.#catchUp().catch((error: Error) => this.#owner.failed(error));
  }

  /** `#reading` ends in the same turn as the last look, so that no call of `#refill` falls between the two. */
  async #catchUp(): Promise<void> {
    while (this.#lagging && !this.#closed && !this.#isFull()) {
      const changed = this.#reader.changed();
      const routed = this.#routed();
      const events = await this.#reader.read(this.#cursor, this.#owner.limits.read);
      for (const stored of events) {
        if (this.#isFull()) break;
        this.#reviveUpTo(stored.position);
        const match = this.#owner.match(stored);
        if (match) this.#accept(stored, match);
        this.#cursor = stored.position;
      }
      // Nothing follows up to where the router was: what there had been is removed from the log.
      if (events.length === 0 && routed && !this.#isRead(routed)) this.#cursor = routed;
      this.#joinRouter();
      this.#owner.refilled();
      if (events.length === 0 && this.#lagging) await changed;
    }
    this.#reading = false;
  }

  /** Goes back to taking from the router once nothing lies between the two. Synchronous, so nothing is missed. */
  #joinRouter(): void {
    const routed = this.#routed();
    if (routed !== undefined && !this.#isRead(routed)) return;
    this.#lagging = false;
    this.#reviveUpTo(undefined);
    // What was written before the router had noted how far it was lies ahead of it still.
    this.#restored = new Set([...this.#restored].filter((place) => !this.#isRead(place)));
    this.#given.clear();
    this.#inLog.clear();
    this.#owner.moved();
  }
}
