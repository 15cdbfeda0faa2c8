import type { EventLog, StoredEvent } from '@magpie/bus';
import { type Clock, Rejected } from '@magpie/contract';
import { DIRECT, type Target } from '@magpie/routing';
import type { IntakeHolds } from '../../intake/holds.ts';
import { deadLetter, putDeadLetter } from '../../log-access/dead-letter.ts';
import type { StateWriter } from '../../log-access/state-writer.ts';
import type { CoreObserver } from '../../observer.ts';
import type { TargetInForce } from '../target-in-force.ts';
import type { Backlog } from './backlog.ts';

export interface BacklogBoundDeps {
  readonly holds: IntakeHolds;
  readonly writer: StateWriter;
  readonly clock: Clock;
  readonly ageOf: EventLog['ageOf'];
  readonly observer: Pick<CoreObserver, 'delivered'>;
  onFatal(error: Error): void;
}

/** A full backlog takes deliveries again when no more than this share of its bound is used. */
const RELEASE_AT = 0.8;

/** Keeps the backlog of one target within its bound, as its route says: holds who feeds it, or gives deliveries up. */
export class BacklogBound {
  readonly #inForce: TargetInForce;
  readonly #backlog: Backlog;
  readonly #deps: BacklogBoundDeps;
  /** Name of its hold. */
  readonly #hold: string;
  /** New deliveries are given up. Until there is some room again, so that it does not change with every one of them. */
  #givingUp = false;

  constructor(inForce: TargetInForce, backlog: Backlog, deps: BacklogBoundDeps) {
    this.#inForce = inForce;
    this.#backlog = backlog;
    this.#deps = deps;
    this.#hold = `backlog ${inForce.target.consumer}`;
  }

  /** The backlog has changed: holds or releases the connection that feeds the target. */
  watch(): void {
    const { target } = this.#inForce;
    if (target.backlog.onFull !== 'block') return;
    const { holds } = this.#deps;
    const isHeld = holds.has(this.#hold);
    if (this.#isFull()) {
      if (!isHeld) this.#holdFeeder();
    } else if (isHeld && this.#backlog.bytes <= target.backlog.bytes * RELEASE_AT) {
      holds.release(this.#hold);
    }
  }

  /** Gives a new delivery up if the backlog is full; tells whether it has. Called for routes that do not hold their source. */
  giveUp(stored: StoredEvent, onFull: 'dead-letter' | 'drop'): boolean {
    const { target } = this.#inForce;
    this.#givingUp = this.#isFull(this.#givingUp ? RELEASE_AT : 1);
    if (!this.#givingUp || !this.#backlog.maySkip) return false;
    this.#backlog.skip(stored);
    const { writer, clock, observer, onFatal } = this.#deps;
    const { consumer } = target;
    const at = clock.now();
    const error = new Rejected(reasonOf(target));
    const { event, position } = stored;
    if (onFull === 'dead-letter') {
      putDeadLetter(writer, deadLetter({ at, event, consumer, position, reason: 'backlog', error })).catch(onFatal);
    } else writer.outcome({ ref: event.ref, consumer, state: 'dropped', at, attempts: 0, error: error.message });
    observer.delivered(target, onFull === 'drop' ? 'dropped' : 'dead');
    return true;
  }

  /** A reload changed the bound, whom to hold, the link, or that anybody is held. */
  update(): void {
    this.stop();
    this.#givingUp = false;
    this.watch();
  }

  /** The target is gone or the gateway ends: its hold is released. */
  stop(): void {
    this.#deps.holds.release(this.#hold);
  }

  #holdFeeder(): void {
    const { target, port } = this.#inForce;
    const { holds } = this.#deps;
    const source = feeder(target);
    const releasedBy = port.sendsWhileHeld ? undefined : target.connection;
    // Where the target's connection waits for this source already, or is it, neither would ever go on: the bound gives way.
    if (releasedBy !== undefined && holds.waitsFor(releasedBy, source)) return;
    const { fromPlace: place, fromPattern: pattern } = target;
    const held = place === undefined ? '' : `: ${target.from} waits with what it has from "${place}"`;
    holds.hold(this.#hold, 'backlog', `${reasonOf(target)}${held}`, {
      sources: new Set([source]),
      place,
      pattern,
      releasedBy,
    });
  }

  #isFull(share = 1): boolean {
    const { backlog: bound } = this.#inForce.target;
    const { bytes, oldest } = this.#backlog;
    return bytes > bound.bytes * share || (oldest !== undefined && this.#deps.ageOf(oldest) > bound.age * share);
  }
}

/** Whose intake a full target holds: direct sends have one source per connection. */
const feeder = ({ route, from, consumer }: Target): string => (route === DIRECT ? consumer : from);

const reasonOf = ({ consumer, backlog }: Target): string =>
  `the backlog of ${consumer} is full (more than ${backlog.bytes} bytes or older than ${backlog.age} ms)`;
