import { comparePositions, type DeadLetter, type Outcome, type Position } from '@magpie/bus';
import type { TargetConfig } from '../plan.ts';
import { type Consumer, type Expected, isOver } from './expected.ts';

/** Classes of errors that are refusals of one delivery: only they may count as attempts. */
const REFUSALS: ReadonlySet<string> = new Set(['Transient', 'Rejected']);

/** Links that must have ended with a message alone on its way before that is given up. */
const LINK_LOSSES = 3;

/** What is known of a target when a dead letter of it is written. */
export interface Circumstances {
  /** All that has been configured for it. */
  readonly configs: readonly TargetConfig[];
  /** The number of the process. */
  readonly life: number;
  /** Whether the place the message was for has refused messages. */
  readonly hasClosed: boolean;
}

/** What is wrong with a dead letter. */
export function faultsOfLetter(
  { id, consumer, event, reason, attempts, at }: DeadLetter,
  delivery: Expected,
  { configs, life, hasClosed }: Circumstances,
): string[] {
  const faults: string[] = [];
  const check = (isRight: boolean, what: string): void => {
    if (!isRight) faults.push(`the dead letter of ${delivery.label} for ${consumer} ${what}`);
  };
  const least = (key: 'attempts' | 'maxAge'): number => Math.min(...configs.map((config) => config[key]));
  check(delivery.former || !delivery.letter || delivery.letter === id, 'is the second');
  check(delivery.former || delivery.confirmedIn !== life, 'was written though it had been confirmed');
  const { refusals, lossesAlone } = delivery;
  const counted = attempts.filter(({ error }) => REFUSALS.has(error)).length;
  check(counted <= refusals, `counts ${counted} of ${refusals} refusals`);
  check(attempts.length - counted <= lossesAlone, 'counts an outage as an attempt');
  check(reason !== 'attempts' || attempts.length >= least('attempts'), 'comes after too few attempts');
  check(reason !== 'age' || at - event.receivedAt >= least('maxAge'), 'comes too early');
  const isRejected = refusals > 0 || lossesAlone >= LINK_LOSSES;
  check(reason !== 'rejected' || isRejected, 'was written though nobody had rejected it');
  const mayOverflow = hasClosed || configs.some(({ onFull }) => onFull === 'dead-letter');
  check(reason !== 'backlog' || mayOverflow, 'should have been held');
  return faults;
}

/** What is wrong with a delivery that ended without success or dead letter. */
export function faultsOfOutcome(
  { consumer, state, at }: Outcome,
  { label, expiresAt }: Expected,
  configs: readonly TargetConfig[],
): string[] {
  const mayDrop = configs.some(({ onFull, then }) => onFull === 'drop' || then === 'drop');
  if (state === 'dropped' && !mayDrop) return [`${label} was dropped for ${consumer}`];
  const hasExpired = expiresAt !== undefined && expiresAt <= at;
  return state === 'expired' && !hasExpired ? [`${label} counts as expired for ${consumer}`] : [];
}

/** Dead letters of a target that should be there and are not. */
export const missingLetters = (name: string, { deliveries }: Consumer, ids: readonly string[]): string[] =>
  [...deliveries.values()]
    .filter(({ letter }) => letter !== undefined && !ids.includes(letter))
    .map(({ label }) => `the dead letter of ${label} for ${name} is gone`);

/** Deliveries of a target that are not over, but are neither in the log nor have a row. */
export function removedTooEarly(name: string, consumer: Consumer, oldest: Position | undefined): string[] {
  if (consumer.presence !== 'on') return [];
  return [...consumer.deliveries.values()]
    .filter((each) => each.meant === 'must' && !isOver(each) && !each.row)
    .filter(({ position }) => oldest === undefined || comparePositions(position, oldest) < 0)
    .map(({ label }) => `${label} was removed from the log before ${name} had it`);
}
