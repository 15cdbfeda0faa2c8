import {
  type Appended,
  type Commit,
  comparePositions,
  type DeadLetter,
  type Outcome,
  type Position,
} from '@magpie/bus';
import type { Event } from '@magpie/contract';
import type { TargetConfig } from '../plan.ts';
import {
  type Consumer,
  type Expected,
  forgetAbsence,
  forgetConfirmations,
  forgetTurns,
  isOver,
  labelOf,
  mayGiveUpUnsent,
  newExpected,
  revive,
  unknownConsumer,
} from './expected.ts';
import { faultsOfLetter, faultsOfOutcome, missingLetters, removedTooEarly } from './verdicts.ts';

/** How long the backlog of a target that has gone is kept. */
const DAY_MS = 86_400_000;

/** How long the log remembers a dedupe key, with something to spare, in ms. */
const SURELY_DEDUPED_MS = 590_000;

/**
 * The model: from what is durable, what is sent and what is answered it knows what may happen, and `faults` tells what has
 * happened anyway.
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

  /** What still has to happen: deliveries that must end and have not. */
  unsettled(consumer: string): readonly Expected[] {
    return this.deliveries(consumer).filter((each) => each.meant === 'must' && !isOver(each));
  }

  /** A configuration comes into force. */
  configured(consumer: string, config: TargetConfig | undefined): void {
    if (!config) return;
    const { configs, deliveries } = this.#of(consumer);
    configs.push(config);
    if (config.order === 'none') for (const each of deliveries.values()) each.unordered = true;
  }

  /** A process has ended: what a returned target need not get is no longer kept apart. */
  ended(): void {
    for (const state of this.#consumers.values()) {
      if (state.presence !== 'off') forgetAbsence(state);
      if (state.configs.some(mayGiveUpUnsent) || state.closedKeys.size > 0) forgetTurns(state);
    }
  }

  /** A target is about to come or to go. */
  changing(consumer: string): void {
    const state = this.#of(consumer);
    if (state.presence === 'on') forgetAbsence(state);
    Object.assign(state, { presence: 'changing', leavingSince: this.#now() });
    forgetConfirmations(state);
  }

  /** A target was added or removed; a new one that begins at the start gets everything from `oldest` on. */
  changed(consumer: string, on: boolean, from?: { readonly oldest: Position | undefined }): void {
    const state = this.#of(consumer);
    state.presence = on ? 'on' : 'off';
    state.offSince = this.#now();
    forgetConfirmations(state);
    if (!from) return;
    for (const each of state.deliveries.values()) {
      const kept = from.oldest !== undefined && comparePositions(each.position, from.oldest) >= 0;
      if (each.meant !== 'must' && !each.former) each.meant = kept ? 'must' : 'may';
    }
  }

  /** A process ended while the target was configured and its router's position was not stored. */
  forgetUnmatched(consumer: string): void {
    const matched = this.#matched;
    for (const each of this.#of(consumer).deliveries.values()) {
      if (!matched || comparePositions(each.position, matched) > 0) each.meant = 'may';
    }
  }

  /** A target is not configured: after a day what waits for it need not be kept. */
  absent(consumer: string): void {
    const { presence, leavingSince, deliveries } = this.#of(consumer);
    if (presence !== 'on' && this.#now() - leavingSince >= DAY_MS)
      for (const each of deliveries.values()) each.meant = 'may';
  }

  isKnown(consumer: string): boolean {
    return this.#of(consumer).known;
  }

  /** The message was acknowledged to its sender. */
  acknowledged(label: string): void {
    if (!this.#stored.has(label)) this.faults.push(`${label} was acknowledged and is not in the log`);
  }

  /** A commit is durable. */
  readonly committed = (change: Commit, results: readonly Appended[]): void => {
    for (const consumer of change.consumers?.remove ?? []) this.#removed(consumer);
    for (const { consumer } of change.consumers?.put ?? []) this.#of(consumer).known = true;
    for (const [index, { event }] of (change.append ?? []).entries()) this.#appended(event, results[index]!);
    this.#matched = change.matched ?? this.#matched;
    for (const { consumer, floor } of change.floors ?? []) this.#of(consumer).floor = floor ?? undefined;
    for (const { consumer, position } of change.exceptions?.remove ?? []) {
      const delivery = this.deliveries(consumer).find((each) => each.position === position);
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

  /** A message goes out while others, by their refs, are unanswered. */
  sent(consumer: string, ref: string, unanswered: readonly string[]): void {
    const state = this.#of(consumer);
    const delivery = state.deliveries.get(ref);
    if (!delivery) return void this.faults.push(`${consumer} was sent ${ref}, which is not in the log`);
    const { label, position, key } = delivery;
    if (delivery.meant === 'not' && state.presence !== 'changing')
      this.faults.push(`${consumer} was sent ${label}, which was not for it`);
    if (delivery.letter && !delivery.former) this.faults.push(`${consumer} was sent ${label}, which is a dead letter`);
    if (delivery.confirmedIn === this.life && !delivery.former)
      this.faults.push(`${consumer} was sent ${label} again, though confirmed`);
    if (delivery.unordered) return;
    const isBeside = (other: string): boolean => {
      const known = state.deliveries.get(other);
      return known?.key === key && !known.unordered;
    };
    const isStrict = state.configs.at(-1)?.order === 'strict';
    if (isStrict && unanswered.some(isBeside))
      this.faults.push(`${consumer} was sent ${label} beside another of ${key}`);
    if (delivery.sends++ > 0) return;
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

  /** The link ended while this message was alone on its way. */
  lostAlone(consumer: string, ref: string): void {
    const delivery = this.#of(consumer).deliveries.get(ref);
    if (delivery) delivery.lossesAlone++;
  }

  /** From now on what waits for the place of a key may be given up when it has filled its share. */
  placeClosed(consumer: string, key: string): void {
    this.#of(consumer).closedKeys.add(key);
  }

  /** The dead letters that there are, by their ids. */
  letters(ids: readonly string[]): void {
    for (const [name, consumer] of this.#consumers) this.faults.push(...missingLetters(name, consumer, ids));
  }

  /** Retention has run: what is not over must be in the log still, or have a row. */
  retained(oldest: Position | undefined): void {
    for (const [name, consumer] of this.#consumers) this.faults.push(...removedTooEarly(name, consumer, oldest));
  }

  #of(consumer: string): Consumer {
    const state = this.#consumers.get(consumer);
    if (state) return state;
    const made = unknownConsumer();
    this.#consumers.set(consumer, made);
    return made;
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
      // What arrives in the millisecond a target is removed may count as before or after; after a day neither does.
      const absence = event.receivedAt - state.offSince;
      const meant = { on: 'must', changing: 'may', off: absence > 0 && absence < DAY_MS ? 'not' : 'may' } as const;
      const unordered = state.configs.at(-1)?.order === 'none' || state.presence !== 'on';
      const { position } = result;
      state.deliveries.set(event.ref, newExpected(event, { position, meant: meant[state.presence], unordered }));
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
      each.former ||= each.letter !== undefined;
      each.letter = undefined;
      each.unordered = true;
      if (each.meant === 'must' || each.former) each.meant = 'may';
    }
  }

  #letterRemoved(id: string, revived: ReadonlySet<Expected>): void {
    for (const { deliveries } of this.#consumers.values()) {
      for (const each of deliveries.values()) {
        if (each.letter !== id) continue;
        each.letter = undefined;
        // A restart may take up again what had been dropped.
        if (!revived.has(each)) Object.assign(each, { ended: 'by operator', unordered: true });
        else revive(each);
      }
    }
  }

  #letterPut(letter: DeadLetter): void {
    const { consumer = '', event, id } = letter;
    const { deliveries, configs, closedKeys } = this.#of(consumer);
    const delivery = deliveries.get(event.ref);
    if (!delivery) return void this.faults.push(`a dead letter of ${event.ref}, which is not in the log`);
    this.faults.push(
      ...faultsOfLetter(letter, delivery, { configs, life: this.life, hasClosed: closedKeys.has(delivery.key) }),
    );
    delivery.letter = id;
  }

  #outcome(outcome: Outcome): void {
    const { ref, consumer, state } = outcome;
    const { deliveries, configs } = this.#of(consumer);
    const delivery = deliveries.get(ref);
    if (!delivery || (state !== 'dropped' && state !== 'expired')) return;
    this.faults.push(...faultsOfOutcome(outcome, delivery, configs));
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
