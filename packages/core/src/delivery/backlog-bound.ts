import type { StoredEvent } from '@magpie/bus';
import { type Clock, newRef } from '@magpie/contract';
import { DIRECT, type Target } from '@magpie/routing';
import type { SendPort } from '../connections/send-port.ts';
import type { IntakeHolds } from '../intake/holds.ts';
import type { StateWriter } from '../log/state-writer.ts';
import type { Ages } from './ages.ts';
import type { Backlog } from './backlog.ts';
import type { DeliveryResult } from './settlement.ts';

export interface BacklogBoundDeps {
  readonly holds: IntakeHolds;
  readonly writer: StateWriter;
  readonly clock: Clock;
  readonly ages: Ages;
  readonly port: SendPort;
  onResult(target: Target, result: DeliveryResult, ms?: number): void;
  onFatal(error: Error): void;
}

/** A full backlog takes deliveries again when no more than this share of its bound is used. */
const RELEASE_AT = 0.8;

/** Keeps the backlog of one target within its bound, as its route says: holds who feeds it, or gives deliveries up. */
export class BacklogBound {
  readonly #deps: BacklogBoundDeps;
  /** Name of its hold. */
  readonly #hold: string;
  /** New deliveries are given up. Until there is some room again, so that it does not change with every one of them. */
  #givingUp = false;
  #port: SendPort;

  constructor(consumer: string, deps: BacklogBoundDeps) {
    this.#deps = deps;
    this.#port = deps.port;
    this.#hold = `backlog ${consumer}`;
  }

  /** The backlog has changed: holds or releases the connection that feeds the target. */
  watch(target: Target, backlog: Backlog): void {
    if (target.backlog.onFull !== 'block') return;
    const { holds } = this.#deps;
    const isHeld = holds.has(this.#hold);
    if (isFull(target, backlog, this.#deps.ages)) {
      if (!isHeld) this.#holdFeeder(target);
    } else if (isHeld && backlog.bytes <= target.backlog.bytes * RELEASE_AT) {
      holds.release(this.#hold);
    }
  }

  /** Whether a new delivery is given up because the backlog is full and the route does not hold its source. */
  giveUp(target: Target, backlog: Backlog, stored: StoredEvent): boolean {
    const { onFull } = target.backlog;
    if (onFull === 'block') return false;
    this.#givingUp = isFull(target, backlog, this.#deps.ages, this.#givingUp ? RELEASE_AT : 1);
    if (!this.#givingUp || !backlog.maySkip) return false;
    backlog.skip(stored);
    const state = onFull === 'drop' ? 'dropped' : 'dead';
    const { writer, clock } = this.#deps;
    const { ref } = stored.event;
    writer.outcome({ ref, consumer: target.consumer, state, at: clock.now(), attempts: 0, error: reasonOf(target) });
    this.#deps.onResult(target, state);
    if (onFull === 'dead-letter') this.#write(target, stored);
    return true;
  }

  /** A reload changed the bound, whom to hold, the link, or that anybody is held. */
  update(target: Target, backlog: Backlog, port: SendPort): void {
    this.#port = port;
    this.stop();
    this.#givingUp = false;
    this.watch(target, backlog);
  }

  /** The target is gone or the gateway ends: it holds nobody any more. */
  stop(): void {
    this.#deps.holds.release(this.#hold);
  }

  #holdFeeder(target: Target): void {
    const { holds } = this.#deps;
    const source = feeder(target);
    const awaits = this.#port.sendsWhileHeld ? undefined : target.connection;
    // Where the target's connection waits for this source already, or is it, neither would ever go on: the bound gives way.
    if (awaits !== undefined && holds.waitsFor(awaits, source)) return;
    holds.hold(this.#hold, 'backlog', reasonOf(target), new Set([source]), awaits);
  }

  #write(target: Target, { position, event }: StoredEvent): void {
    const { writer, clock, onFatal } = this.#deps;
    const letter = {
      id: newRef(),
      at: clock.now(),
      consumer: target.consumer,
      position,
      reason: 'backlog' as const,
      error: 'Rejected',
      message: reasonOf(target),
      attempts: [],
      event,
    };
    writer.commit({ deadLetters: { put: [letter] } }).catch(onFatal);
  }
}

/** Whose intake a full target holds: direct sends have one source per connection. */
const feeder = ({ route, from, consumer }: Target): string => (route === DIRECT ? consumer : from);

const reasonOf = ({ consumer, backlog }: Target): string =>
  `the backlog of ${consumer} is full (more than ${backlog.bytes} bytes or older than ${backlog.age} ms)`;

function isFull({ backlog: bound }: Target, { bytes, oldest }: Backlog, ages: Ages, share = 1): boolean {
  return bytes > bound.bytes * share || (oldest !== undefined && ages.of(oldest) > bound.age * share);
}
