import {
  type Appended,
  type Commit,
  comparePositions,
  type DeadLetter,
  type Outcome,
  type Position,
} from '@magpie/bus';
import type { Event } from '@magpie/contract';
import type { TargetConfig } from './plan.ts';

/** One event on its way to one target, as everybody outside can see it. */
export interface Expected {
  readonly ref: string;
  readonly label: string;
  readonly key: string;
  readonly position: Position;
  readonly receivedAt: number;
  readonly expiresAt: number | undefined;
  /** Whether the target is to get it: `may` while it was coming or going. */
  meant: 'must' | 'may' | 'not';
  /** It was here while the target kept no order, or an operator has put it back. */
  unordered: boolean;
  sends: number;
  refusals: number;
  confirmed: boolean;
  /** The process that saw the confirmation. */
  confirmedIn: number | undefined;
  ended: 'dropped' | 'expired' | 'by operator' | undefined;
  letter: string | undefined;
  /** It has an exception row. */
  row: 'retry' | 'held' | 'blocked' | undefined;
}

/** What is known of one target. */
interface Consumer {
  presence: 'on' | 'off' | 'changing';
  known: boolean;
  offSince: number;
  floor: Position | undefined;
  readonly configs: TargetConfig[];
  readonly deliveries: Map<string, Expected>;
  /** Highest position of a first send, by key. */
  readonly reached: Map<string, Position>;
}

/** How long the log remembers a dedupe key, with something to spare, in ms. */
const DAY_MS = 86_400_000;

const SURELY_DEDUPED_MS = 590_000;

/**
 * The model: from what is durable, what is sent and what is answered it knows what may happen, and `faults` tells what has
 * happened all the same.
 */
export class Oracle {
  readonly faults: string[] = [];
  readonly #consumers = new Map<string, Consumer>();
  readonly #now: () => number;
  /** When an event with this label was stored last. */
  readonly #stored = new Map<string, number>();
  #matched: Position | undefined;
  /** Counts processes. */
  life = 0;

  constructor(consumers: readonly string[], now: () => number) {
    this.#now = now;
    for (const name of consumers) this.#of(name);
  }

  /** Deliveries of a target in log order. */
  deliveries(consumer: string): readonly Expected[] {
    return [...this.#of(consumer).deliveries.values()];
  }

  isOn(consumer: string): boolean {
    return this.#of(consumer).presence === 'on';
  }

  hasBlocked(consumer: string): boolean {
    return this.deliveries(consumer).some(({ row }) => row === 'blocked');
  }

  /** What still has to happen: deliveries that must end and have not. */
  unsettled(consumer: string): readonly Expected[] {
    return this.deliveries(consumer).filter((each) => each.meant === 'must' && !isOver(each));
  }

  /** A configuration comes into force. */
  configured(consumer: string, config: TargetConfig | undefined): void {
    if (!config) return;
    const { configs, deliveries } = this.#of(consumer);
    configs.push(config);
    if (config.order === 'none') for (const each of deliveries.values()) if (!isOver(each)) each.unordered = true;
  }

  /** A process has ended: what a returned target need not get is no longer kept apart. */
  ended(): void {
    for (const { presence, deliveries } of this.#consumers.values()) {
      if (presence === 'off') continue;
      for (const each of deliveries.values()) {
        if (each.meant === 'not') Object.assign(each, { meant: 'may', unordered: true });
      }
    }
  }

  /** A target is about to come or to go. */
  changing(consumer: string): void {
    this.#of(consumer).presence = 'changing';
    this.#forgetConfirmations(consumer);
  }

  /** A target has come or gone; from `oldest` on a new one that begins at the start gets everything. */
  changed(consumer: string, on: boolean, from?: { readonly oldest: Position | undefined }): void {
    const state = this.#of(consumer);
    state.presence = on ? 'on' : 'off';
    state.offSince = this.#now();
    this.#forgetConfirmations(consumer);
    if (!from) return;
    for (const each of state.deliveries.values()) {
      const kept = from.oldest !== undefined && comparePositions(each.position, from.oldest) >= 0;
      if (each.meant === 'not') each.meant = kept ? 'must' : 'may';
    }
  }

  /** A process ended while the target was configured and its router had not noted how far it was. */
  forgetUnmatched(consumer: string): void {
    const matched = this.#matched;
    for (const each of this.#of(consumer).deliveries.values()) {
      if (!matched || comparePositions(each.position, matched) > 0) each.meant = 'may';
    }
  }

  /** A target is not configured: after a day what waits for it need not be kept. */
  absent(consumer: string): void {
    const { presence, offSince, deliveries } = this.#of(consumer);
    if (presence === 'off' && this.#now() - offSince >= DAY_MS)
      for (const each of deliveries.values()) each.meant = 'may';
  }

  isKnown(consumer: string): boolean {
    return this.#of(consumer).known;
  }

  /** The sender was told that its message is safe. */
  acknowledged(label: string): void {
    if (!this.#stored.has(label)) this.faults.push(`${label} was acknowledged and is not in the log`);
  }

  /** A commit is durable. */
  readonly committed = (change: Commit, results: readonly Appended[]): void => {
    for (const consumer of change.consumers?.remove ?? []) this.#removed(consumer);
    for (const { consumer } of change.consumers?.put ?? []) this.#of(consumer).known = true;
    (change.append ?? []).forEach(({ event }, index) => this.#appended(event, results[index]!));
    this.#matched = change.matched ?? this.#matched;
    for (const { consumer, floor } of change.floors ?? []) this.#of(consumer).floor = floor ?? undefined;
    for (const { consumer, position } of change.exceptions?.remove ?? []) {
      const delivery = this.#at(consumer, position);
      if (delivery) delivery.row = undefined;
    }
    const revived = new Set<Expected>();
    for (const row of change.exceptions?.put ?? []) {
      const delivery = this.#of(row.consumer).deliveries.get(row.event.ref);
      if (delivery) delivery.row = row.state;
      if (delivery) revived.add(delivery);
      // It was dropped and tried again at the same time.
      if (delivery?.ended === 'by operator') revive(delivery);
    }
    for (const id of change.deadLetters?.remove ?? []) this.#letterRemoved(id, revived);
    for (const letter of change.deadLetters?.put ?? []) this.#letterPut(letter);
    for (const outcome of change.outcomes ?? []) this.#outcome(outcome);
    this.#checkFloors();
  };

  /** A message goes out. */
  sent(consumer: string, ref: string): void {
    const state = this.#of(consumer);
    const delivery = state.deliveries.get(ref);
    if (!delivery) return void this.faults.push(`${consumer} was sent ${ref}, which is not in the log`);
    const { label, position, key } = delivery;
    if (delivery.meant === 'not' && state.presence !== 'changing')
      this.faults.push(`${consumer} was sent ${label}, which was not for it`);
    if (delivery.letter) this.faults.push(`${consumer} was sent ${label}, which is a dead letter`);
    if (delivery.confirmedIn === this.life) this.faults.push(`${consumer} was sent ${label} again, though confirmed`);
    if (delivery.sends++ > 0 || delivery.unordered) return;
    const reached = state.reached.get(key);
    if (reached !== undefined && comparePositions(position, reached) < 0) {
      this.faults.push(`${consumer} was sent ${label} (${key}, ${position}) after ${reached}`);
    }
    state.reached.set(key, position);
  }

  /** A message was confirmed, or refused for its own sake. */
  answered(consumer: string, ref: string, result: 'confirmed' | 'refused' | 'outage'): void {
    const delivery = this.#of(consumer).deliveries.get(ref);
    if (!delivery) return;
    if (result === 'refused') delivery.refusals++;
    if (result !== 'confirmed') return;
    delivery.confirmed = true;
    delivery.confirmedIn = this.isOn(consumer) ? this.life : undefined;
  }

  /** Retention has run: what is not over must be in the log still, or have a row. */
  retained(oldest: Position | undefined): void {
    for (const [name, { deliveries, presence }] of this.#consumers) {
      if (presence !== 'on') continue;
      for (const each of deliveries.values()) {
        if (each.meant !== 'must' || isOver(each) || each.row) continue;
        if (oldest === undefined || comparePositions(each.position, oldest) < 0) {
          this.faults.push(`${each.label} was removed from the log before ${name} had it`);
        }
      }
    }
  }

  /** Confirmations above the floor are kept in memory only: who follows may send once more. */
  #forgetConfirmations(consumer: string): void {
    for (const each of this.deliveries(consumer)) each.confirmedIn = undefined;
  }

  #of(consumer: string): Consumer {
    const state = this.#consumers.get(consumer);
    if (state) return state;
    const made = unknownConsumer();
    this.#consumers.set(consumer, made);
    return made;
  }

  #at(consumer: string, position: Position): Expected | undefined {
    return this.deliveries(consumer).find((each) => each.position === position);
  }

  #appended(event: Event, result: Appended): void {
    const label = labelOf(event);
    const before = this.#stored.get(label);
    if (result.type !== 'stored') {
      if (before === undefined) this.faults.push(`${label} was taken for a duplicate though it is new`);
      return;
    }
    if (before !== undefined && this.#now() - before < SURELY_DEDUPED_MS) this.faults.push(`${label} was stored twice`);
    this.#stored.set(label, this.#now());
    for (const state of this.#consumers.values()) {
      // What comes in the very millisecond a target goes may count as before or after.
      const meant = {
        on: 'must',
        changing: 'may',
        off: event.receivedAt > state.offSince ? 'not' : 'may',
      } as const;
      state.deliveries.set(event.ref, {
        ref: event.ref,
        label,
        key: event.key,
        position: result.position,
        receivedAt: event.receivedAt,
        expiresAt: event.expiresAt,
        meant: meant[state.presence],
        unordered: state.configs.at(-1)?.order === 'none' || state.presence !== 'on',
        sends: 0,
        refusals: 0,
        confirmed: false,
        confirmedIn: undefined,
        ended: undefined,
        letter: undefined,
        row: undefined,
      });
    }
  }

  /** Its backlog was given up. */
  #removed(consumer: string): void {
    const state = this.#of(consumer);
    state.known = false;
    state.floor = undefined;
    for (const each of state.deliveries.values()) {
      each.row = undefined;
      // Its dead letters stay, but a new target of that name has nothing to do with them.
      each.letter = undefined;
      if (each.meant === 'must') each.meant = 'may';
    }
  }

  #letterRemoved(id: string, revived: ReadonlySet<Expected>): void {
    for (const { deliveries } of this.#consumers.values()) {
      for (const each of deliveries.values()) {
        if (each.letter !== id) continue;
        each.letter = undefined;
        if (!revived.has(each)) each.ended = 'by operator';
        else revive(each);
      }
    }
  }

  #letterPut({ id, consumer = '', event, reason, attempts, at }: DeadLetter): void {
    const { deliveries, configs } = this.#of(consumer);
    const delivery = deliveries.get(event.ref);
    if (!delivery) return void this.faults.push(`a dead letter of ${event.ref}, which is not in the log`);
    const fault = (what: string): void =>
      void this.faults.push(`dead letter of ${delivery.label} for ${consumer} ${what}`);
    if (delivery.letter && delivery.letter !== id) fault('is the second');
    if (delivery.confirmedIn === this.life) fault('though it was confirmed');
    if (attempts.length > delivery.refusals) fault(`counts ${attempts.length} of ${delivery.refusals} refusals`);
    const least = (key: 'attempts' | 'maxAge'): number => Math.min(...configs.map((config) => config[key]));
    if (reason === 'attempts' && attempts.length < least('attempts')) fault('comes after too few attempts');
    if (reason === 'age' && at - event.receivedAt < least('maxAge')) fault('comes too early');
    if (reason === 'rejected' && delivery.refusals === 0) fault('though nobody rejected it');
    if (reason === 'backlog' && !configs.some(({ onFull }) => onFull === 'dead-letter'))
      fault('though the backlog holds');
    delivery.letter = id;
  }

  #outcome({ ref, consumer, state, at }: Outcome): void {
    const { deliveries, configs } = this.#of(consumer);
    const delivery = deliveries.get(ref);
    if (!delivery || (state !== 'dropped' && state !== 'expired')) return;
    const mayDrop = configs.some(({ onFull, then }) => onFull === 'drop' || then === 'drop');
    if (state === 'dropped' && !mayDrop) this.faults.push(`${delivery.label} was dropped for ${consumer}`);
    if (state === 'expired' && !(delivery.expiresAt !== undefined && delivery.expiresAt <= at)) {
      this.faults.push(`${delivery.label} has not expired`);
    }
    delivery.ended = state;
    // A restart may take up again what had been dropped.
    delivery.unordered = true;
  }

  #checkFloors(): void {
    for (const [name, { floor = this.#matched, deliveries }] of this.#consumers) {
      if (floor === undefined) continue;
      for (const each of deliveries.values()) {
        if (each.meant !== 'must' || isOver(each) || each.row) continue;
        if (comparePositions(each.position, floor) > 0) continue;
        this.faults.push(`the floor ${floor} of ${name} has passed ${each.label} at ${each.position}`);
        each.meant = 'may';
      }
    }
  }
}

const unknownConsumer = (): Consumer => ({
  presence: 'off',
  known: false,
  offSince: 0,
  floor: undefined,
  configs: [],
  deliveries: new Map(),
  reached: new Map(),
});

/** Whether a delivery has come to an end. */
export const isOver = ({ confirmed, letter, ended }: Expected): boolean =>
  confirmed || letter !== undefined || ended !== undefined;

/** An operator has put it back. */
function revive(delivery: Expected): void {
  Object.assign(delivery, {
    confirmed: false,
    confirmedIn: undefined,
    ended: undefined,
    unordered: true,
    meant: 'must',
  });
}

const labelOf = ({ body }: Event): string => Buffer.from(body).toString().trim();
