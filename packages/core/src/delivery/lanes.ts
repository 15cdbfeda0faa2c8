import { comparePositions, type ExceptionRow, type StoredEvent } from '@magpie/bus';
import type { Clock, Rejected } from '@magpie/contract';
import type { Order } from '@magpie/routing';
import type { Delivery, Lane } from './delivery.ts';
import type { WakeUp } from './wake-up.ts';

/**
 * Decides which delivery of a target may be sent next, so that order holds within each lane. Synchronous and without I/O.
 * A lane with a refused delivery is stopped: what is in flight lands, then only the refused one is sent again, and its
 * successors follow when it is done. Successors that were confirmed meanwhile stay confirmed.
 */
export class Lanes {
  #order: Order;
  readonly #lanes = new Map<string, Lane>();
  readonly #clock: Clock;
  readonly #wake: WakeUp;
  #ready: Delivery[] = [];

  constructor(order: Order, clock: Clock, wake: WakeUp) {
    this.#order = order;
    this.#clock = clock;
    this.#wake = wake;
  }

  /** A reload changed how order is kept; deliveries already here keep their lanes and their turn. */
  reorder(order: Order): void {
    this.#order = order;
    for (const lane of this.#lanes.values()) this.#release(lane);
  }

  /** The lane of an ordering key; `order: none` gives every delivery its own. */
  laneFor(key: string): Lane {
    const known = this.#order === 'none' ? undefined : this.#lanes.get(key);
    if (known) return known;
    const lane: Lane = { key, flying: 0, alive: 0, failed: [], waiting: [], due: false, cancel: undefined };
    if (this.#order !== 'none') this.#lanes.set(key, lane);
    return lane;
  }

  /** Makes the delivery of an event and adds it to the lane of its key. It is later in the log than all before. */
  enter(stored: StoredEvent, key: string, error?: Rejected): Delivery {
    const delivery = newDelivery(stored, this.laneFor(key), error);
    this.add(delivery);
    return delivery;
  }

  /** Adds a new delivery, later in the log than all before. */
  add(delivery: Delivery): void {
    delivery.lane.alive++;
    this.#ready.push(delivery);
  }

  /** Makes a delivery again from its exception row. It waits at most `maxWait` ms, whatever the row says: a clock may be set. */
  restore(row: ExceptionRow, maxWait: number): Delivery {
    const { state, attempts, redelivered = false, nextAttempt = 0 } = row;
    const delivery = newDelivery(row, this.laneFor(row.lane));
    delivery.attempts.push(...attempts);
    delivery.redelivered = redelivered;
    delivery.remembered = true;
    if (state === 'held') this.add(delivery);
    else {
      delivery.lane.alive++;
      this.refuse(delivery, state === 'retry' ? 'failed' : 'blocked');
    }
    if (state === 'retry') this.retryIn(delivery, Math.min(Math.max(nextAttempt - this.#clock.now(), 0), maxWait));
    return delivery;
  }

  /** The next delivery that may be sent, left in place until `launch`. `held` is called with those that have to wait. */
  next(held: (delivery: Delivery) => void = () => undefined): Delivery | undefined {
    for (let first = this.#ready[0]; first; first = this.#ready[0]) {
      if (first.state === 'ready' && this.#mayFly(first)) return first;
      this.#ready.shift();
      if (first.state !== 'ready') continue;
      const { lane } = first;
      if (lane.failed.includes(first)) {
        // It waits until nothing is in flight, or for an earlier refused one that was restored meanwhile.
        first.state = 'failed';
        lane.due ||= first === lane.failed[0];
      } else {
        lane.waiting.push(first);
        if (lane.failed.length > 0) held(first);
      }
    }
    return undefined;
  }

  /** Takes the delivery that `next` returned out of the queue; `flying` unless it ends without being sent. */
  launch(delivery: Delivery, flying: boolean): void {
    this.#ready.shift();
    if (!flying) return;
    delivery.state = 'flight';
    delivery.lane.flying++;
  }

  /** A send has ended, however. */
  landed({ lane }: Delivery): void {
    lane.flying--;
  }

  /** A delivery was refused: its lane stops until `due`. */
  refuse(delivery: Delivery, state: 'failed' | 'blocked'): void {
    delivery.state = state;
    const { failed } = delivery.lane;
    if (failed.includes(delivery)) return;
    const at = failed.findIndex((other) => comparePositions(other.position, delivery.position) > 0);
    failed.splice(at < 0 ? failed.length : at, 0, delivery);
  }

  /** Lets a stopped lane try its first refused delivery again after `wait` ms. */
  retryIn(delivery: Delivery, wait: number): void {
    const { lane } = delivery;
    delivery.nextAttempt = this.#clock.now() + wait;
    lane.cancel?.();
    lane.due = false;
    lane.cancel = this.#clock.timeout(wait, () => {
      lane.due = true;
      this.retry(lane);
      this.#wake.call();
    });
  }

  /** Queues the first refused delivery of a lane when its backoff has passed and the lane has drained. */
  retry(lane: Lane): void {
    const first = lane.failed[0];
    if (!first || !lane.due || lane.flying > 0 || first.state !== 'failed') return;
    lane.due = false;
    first.state = 'ready';
    const after = this.#ready.findIndex(({ position }) => comparePositions(position, first.position) > 0);
    this.#ready.splice(after < 0 ? this.#ready.length : after, 0, first);
  }

  /** A delivery is out of the way (confirmed or being closed): its successors go on. */
  leave(delivery: Delivery): void {
    const { lane } = delivery;
    const at = lane.failed.indexOf(delivery);
    if (at >= 0) lane.failed.splice(at, 1);
    if (lane.waiting.includes(delivery)) lane.waiting = lane.waiting.filter((other) => other !== delivery);
    this.#release(lane);
    if (lane.failed.length === 0) return;
    lane.due ||= at === 0;
    this.retry(lane);
  }

  /** Lets what waits in a lane go on, but for what a refused delivery holds. */
  #release(lane: Lane): void {
    if (lane.waiting.length === 0) return;
    const [refused] = lane.failed;
    const isFree = ({ position }: Delivery): boolean => !refused || comparePositions(position, refused.position) < 0;
    this.#ready.unshift(...lane.waiting.filter(isFree));
    lane.waiting = refused ? lane.waiting.filter((each) => !isFree(each)) : [];
  }

  /** A delivery is settled; empty lanes are forgotten. */
  forget({ lane }: Delivery): void {
    // A lane from before a reload may have the key of one that is in use.
    if (--lane.alive === 0 && this.#lanes.get(lane.key) === lane) this.#lanes.delete(lane.key);
  }

  /**
   * Starts over after an outage: everything unsettled and unsent, in log order but for the one that `choose` wants first of
   * the first ones of each lane. Nothing may be in flight.
   */
  requeue(unsettled: readonly Delivery[], choose: (heads: readonly Delivery[]) => Delivery | undefined): void {
    for (const { lane } of unsettled) lane.waiting = [];
    this.#ready = unsettled.filter(({ state }) => state === 'ready');
    const heads = new Map<Lane, Delivery>();
    for (const delivery of this.#ready) if (!heads.has(delivery.lane)) heads.set(delivery.lane, delivery);
    const first = choose([...heads.values()].filter((delivery) => this.#mayFly(delivery)));
    if (first) this.#ready = [first, ...this.#ready.filter((delivery) => delivery !== first)];
  }

  /** Cancels all backoffs. */
  stop(): void {
    for (const lane of this.#lanes.values()) lane.cancel?.();
  }

  /** Behind a refused delivery nothing flies, before it everything may; it goes itself once the lane has drained. */
  #mayFly(delivery: Delivery): boolean {
    const { lane } = delivery;
    const [refused] = lane.failed;
    if (refused === delivery) return lane.flying === 0;
    if (refused && comparePositions(delivery.position, refused.position) > 0) return false;
    return this.#order !== 'strict' || lane.flying === 0;
  }
}

/** A delivery that nothing has happened to yet. */
const newDelivery = ({ position, event }: StoredEvent, lane: Lane, error?: Rejected): Delivery => ({
  position,
  event,
  lane,
  state: 'ready',
  attempts: [],
  redelivered: false,
  suspicion: undefined,
  place: undefined,
  isQuiet: false,
  nextAttempt: undefined,
  remembered: false,
  parked: false,
  error,
});
