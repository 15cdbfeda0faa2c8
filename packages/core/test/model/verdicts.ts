import type { DeadLetter, Outcome } from '@magpie/bus';
import type { Expected } from './expected.ts';
import type { TargetConfig } from './plan.ts';

/** Classes of errors that are refusals of one delivery: only they may count as attempts. */
const REFUSALS: ReadonlySet<string> = new Set(['Transient', 'Rejected']);

/** What is wrong with a dead letter, given all that has been configured for its target, in the process of that number. */
export function faultsOfLetter(
  { id, consumer, event, reason, attempts, at }: DeadLetter,
  delivery: Expected,
  configs: readonly TargetConfig[],
  life: number,
): string[] {
  const faults: string[] = [];
  const check = (isRight: boolean, what: string): void => {
    if (!isRight) faults.push(`the dead letter of ${delivery.label} for ${consumer} ${what}`);
  };
  const least = (key: 'attempts' | 'maxAge'): number => Math.min(...configs.map((config) => config[key]));
  check(delivery.former || !delivery.letter || delivery.letter === id, 'is the second');
  check(delivery.former || delivery.confirmedIn !== life, 'was written though it had been confirmed');
  check(attempts.length <= delivery.refusals, `counts ${attempts.length} of ${delivery.refusals} refusals`);
  check(
    attempts.every(({ error }) => REFUSALS.has(error)),
    'counts an outage as an attempt',
  );
  check(reason !== 'attempts' || attempts.length >= least('attempts'), 'comes after too few attempts');
  check(reason !== 'age' || at - event.receivedAt >= least('maxAge'), 'comes too early');
  check(reason !== 'rejected' || delivery.refusals > 0, 'was written though nobody had rejected it');
  check(reason !== 'backlog' || configs.some(({ onFull }) => onFull === 'dead-letter'), 'should have been held');
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
