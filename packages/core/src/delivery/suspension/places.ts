import { type Address, type Clock, fullJitter, type MagpieError, Rejected, Throttled } from '@magpie/contract';
import type { Rendered } from '@magpie/routing';
import type { PlaceStatus } from '../../gateway-api/index.ts';
import type { Backlog } from '../backlog/backlog.ts';
import type { BacklogLimits } from '../backlog/limits.ts';
import type { Delivery } from '../delivery.ts';
import type { Lanes } from '../lanes.ts';
import type { Settlement } from '../settlement.ts';
import type { TargetInForce } from '../target-in-force.ts';
import type { RefusalLog } from './refusal-log.ts';

/** Waiting between two tries of a place, in ms. */
const BACKOFF = { min: 500, max: 30_000 } as const;

/** When to look again while another delivery is on its way to the place, in ms; its answer usually comes before. */
const PROBED_MS = 1000;

/** Share of the exception rows of a target that suspended places may fill; the rest is for refusals of other places. */
const SHARE = 0.5;

/** What holds deliveries in quiet hours, in words. */
const QUIET = { name: 'the target', error: 'its quiet hours' } as const;

/** A place that takes nothing at present. */
interface SuspendedPlace {
  readonly name: string;
  /** ms since the epoch. */
  readonly since: number;
  error: string;
  failures: number;
  /** Monotonic ms; no attempt before it. */
  nextTry: number;
  /** ms since the epoch, for people. */
  nextAttempt: number;
  /** Whether a delivery is on its way to see whether the place takes it. */
  isProbed: boolean;
  /** First deliveries of the lanes that wait for it. */
  readonly waiting: Set<Delivery>;
}

interface PlaceDeps {
  readonly clock: Clock;
  readonly refusals: Pick<RefusalLog, 'placeSuspended'>;
}

/**
 * The places of one target (its rooms, queues, topics) that refuse messages while others take them. A suspended place holds
 * the lanes that lead to it and nothing else: what waits for it has exception rows, so the floor goes on.
 */
export class Places {
  readonly #lanes: Lanes;
  readonly #backlog: Backlog;
  readonly #settlement: Settlement;
  readonly #limits: BacklogLimits;
  readonly #clock: Clock;
  readonly #inForce: TargetInForce;
  readonly #refusals: PlaceDeps['refusals'];
  readonly #suspended = new Map<string, SuspendedPlace>();

  constructor(
    inForce: TargetInForce,
    lanes: Lanes,
    backlog: Backlog,
    settlement: Settlement,
    limits: BacklogLimits,
    { clock, refusals }: PlaceDeps,
  ) {
    this.#inForce = inForce;
    this.#refusals = refusals;
    this.#lanes = lanes;
    this.#backlog = backlog;
    this.#settlement = settlement;
    this.#limits = limits;
    this.#clock = clock;
  }

  /** Whether nothing may be sent to where a message goes now. Marks the one that may as the probe. Called per attempt. */
  holds(address: Address): boolean {
    if (this.#suspended.size === 0) return false;
    const place = this.#suspended.get(nameOf(address));
    if (!place) return false;
    if (place.isProbed || this.#clock.monotonic() < place.nextTry) return true;
    place.isProbed = true;
    return false;
  }

  /** Puts a delivery aside whose place takes nothing at present. No attempt is counted. */
  hold(delivery: Delivery, address: Address): void {
    const place = this.#suspended.get(nameOf(address));
    if (!place) return;
    if (this.#isFull()) return void this.#giveUp(delivery, place);
    place.waiting.add(delivery);
    delivery.place = place.name;
    this.#lanes.refuse(delivery, 'failed');
    const wait = place.isProbed ? PROBED_MS : place.nextTry - this.#clock.monotonic();
    this.#lanes.retryIn(delivery, Math.max(1, wait));
    if (!delivery.remembered) this.#settlement.remember(delivery);
  }

  /** Puts a delivery aside that waits for the end of quiet hours, so that others may pass it. No attempt is counted. */
  setAside(delivery: Delivery, ms: number): void {
    if (!delivery.parked && this.#isFull()) return void this.#giveUp(delivery, QUIET);
    this.#lanes.refuse(delivery, 'failed');
    this.#lanes.retryIn(delivery, ms);
    if (!delivery.remembered) this.#settlement.remember(delivery);
  }

  /** A successor in a lane that waits for a place or for quiet hours: gives it up when those have filled their share. True when it did. */
  overflows(delivery: Delivery): boolean {
    const first = delivery.lane.failed[0];
    const place = first?.place === undefined ? undefined : this.#suspended.get(first.place);
    const holder = first?.isQuiet === true ? QUIET : place;
    if (!holder || (holder === QUIET && delivery.parked) || !this.#isFull()) return false;
    this.#giveUp(delivery, holder);
    return true;
  }

  /** The place of a delivery has refused it for now. */
  refused(delivery: Delivery, { target }: Rendered, error: MagpieError): void {
    const name = nameOf(target.address);
    const [now, monotonic] = [this.#clock.now(), this.#clock.monotonic()];
    const known = this.#suspended.get(name);
    // What was in flight with the one that was refused first says nothing new, and must not make the pause longer.
    if (known && !known.isProbed && monotonic < known.nextTry) {
      this.hold(delivery, target.address);
      return;
    }
    const place = known ?? this.#suspend(name, now);
    if (!known) this.#refusals.placeSuspended(this.#inForce.target, name, delivery, error);
    const wait = error instanceof Throttled ? error.retryAfter : fullJitter(BACKOFF, place.failures++);
    Object.assign(place, { error: error.message, nextTry: monotonic + wait, nextAttempt: now + wait, isProbed: false });
    for (const each of place.waiting) if (each.state !== 'failed') place.waiting.delete(each);
    this.hold(delivery, target.address);
  }

  /** A delivery that was sent to a place has ended in another way than by its refusal: the place takes messages. */
  answered({ place: name }: Delivery, { target }: Rendered): void {
    if (this.#suspended.size === 0) return;
    this.release(name ?? nameOf(target.address));
  }

  /** The outcome of a probe is unknown: another delivery may try the place. */
  probeLost({ target }: Rendered): void {
    const place = this.#suspended.get(nameOf(target.address));
    if (place) place.isProbed = false;
  }

  /** Lets everything that waits for a place go on at once; false when it is not suspended. */
  release(name: string): boolean {
    const place = this.#suspended.get(name);
    if (!place) return false;
    this.#suspended.delete(name);
    for (const delivery of place.waiting) {
      delivery.place = undefined;
      if (delivery.state === 'failed') this.#lanes.retryIn(delivery, 0);
    }
    return true;
  }

  /** The suspended places, for people. */
  status(): readonly PlaceStatus[] {
    return [...this.#suspended.values()].map(({ name, since, error, nextAttempt, waiting }) => {
      const lanes = [...waiting].filter(({ state }) => state === 'failed').map(({ lane }) => lane);
      return { place: name, since, error, nextAttempt, waiting: lanes.reduce((sum, { alive }) => sum + alive, 0) };
    });
  }

  #suspend(name: string, since: number): SuspendedPlace {
    const place = {
      name,
      since,
      error: '',
      failures: 0,
      nextTry: 0,
      nextAttempt: since,
      isProbed: false,
      waiting: new Set<Delivery>(),
    };
    this.#suspended.set(name, place);
    return place;
  }

  #isFull(): boolean {
    const { size, bytes } = this.#backlog.parked;
    return size >= this.#limits.parked * SHARE || bytes >= this.#limits.parkedBytes * SHARE;
  }

  #giveUp(delivery: Delivery, { name, error }: Pick<SuspendedPlace, 'name' | 'error'>): void {
    const words = `${name} takes nothing (${error}), and what waits for it has filled its share of the backlog`;
    void this.#settlement.giveUp(delivery, 'backlog', new Rejected(words));
  }
}

/** The name of a place within a target. */
const nameOf = ({ scheme, segments }: Address): string => `${scheme}:${segments.join('/')}`;
