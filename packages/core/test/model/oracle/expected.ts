import { comparePositions, type Position } from '@magpie/bus';
import type { Event } from '@magpie/contract';
import type { TargetConfig } from '../plan.ts';

/** One event on its way to one target, as everybody outside can see it. */
export interface Expected {
  readonly ref: string;
  readonly label: string;
  readonly key: string;
  readonly position: Position;
  readonly expiresAt: number | undefined;
  /** Whether the target is to get it: `may` while it was coming or going. */
  meant: 'must' | 'may' | 'not';
  /** It was here while the target kept no order, or an operator has put it back. */
  unordered: boolean;
  sends: number;
  refusals: number;
  /** How often the link ended while it was alone on its way. */
  lossesAlone: number;
  confirmed: boolean;
  /** The process that saw the confirmation. */
  confirmedIn: number | undefined;
  ended: 'dropped' | 'expired' | 'by operator' | undefined;
  letter: string | undefined;
  /** It was for a target of that name that has been given up since; what is left of it may come twice. */
  former: boolean;
  /** It has an exception row. */
  row: 'retry' | 'held' | 'blocked' | undefined;
}

/** What is known of one target. */
export interface Consumer {
  presence: 'on' | 'off' | 'changing';
  known: boolean;
  /** When it was last seen, and when it was removed. */
  offSince: number;
  leavingSince: number;
  floor: Position | undefined;
  readonly configs: TargetConfig[];
  readonly deliveries: Map<string, Expected>;
  /** Highest position of a first send, by key. */
  readonly reached: Map<string, Position>;
  /** Keys whose place has refused messages at some time. */
  readonly closedKeys: Set<string>;
}

/** A delivery that nothing has happened to yet. */
export const newExpected = (event: Event, place: Pick<Expected, 'position' | 'meant' | 'unordered'>): Expected => ({
  ref: event.ref,
  label: labelOf(event),
  key: event.key,
  expiresAt: event.expiresAt,
  ...place,
  sends: 0,
  refusals: 0,
  lossesAlone: 0,
  confirmed: false,
  confirmedIn: undefined,
  ended: undefined,
  letter: undefined,
  former: false,
  row: undefined,
});

/** A target that has never been configured. */
export const unknownConsumer = (): Consumer => ({
  presence: 'off',
  known: false,
  offSince: 0,
  leavingSince: 0,
  floor: undefined,
  configs: [],
  deliveries: new Map(),
  reached: new Map(),
  closedKeys: new Set(),
});

/** Whether a delivery has ended. */
export const isOver = ({ confirmed, letter, ended }: Expected): boolean =>
  confirmed || letter !== undefined || ended !== undefined;

/** An operator has put it back. */
export function revive(delivery: Expected): void {
  Object.assign(delivery, {
    confirmed: false,
    confirmedIn: undefined,
    ended: undefined,
    unordered: true,
    meant: 'must',
  });
}

/** The name of a message in this model. */
export const labelOf = ({ body }: Event): string => Buffer.from(body).toString().trim();

/** Whether such a target may end a delivery without having tried it. */
export const mayGiveUpUnsent = ({ maxAge, onFull }: TargetConfig): boolean => onFull !== 'block' || maxAge < 60_000;

/** What was given up unsent lets its successors go; when a crash undoes that, it comes after them. */
export function forgetTurns({ deliveries, reached }: Consumer): void {
  for (const each of deliveries.values()) {
    const turn = reached.get(each.key);
    const isPassed = turn !== undefined && comparePositions(each.position, turn) < 0;
    if (each.sends === 0 && isPassed) each.unordered = true;
  }
}

/** What arrived while a target was absent may still be delivered once its queue has been replaced. */
export function forgetAbsence({ deliveries }: Consumer): void {
  for (const each of deliveries.values()) {
    if (each.meant === 'not') Object.assign(each, { meant: 'may', unordered: true });
  }
}

/** Confirmations above the floor are kept in memory only: who follows may send once more. */
export function forgetConfirmations({ deliveries }: Consumer): void {
  for (const each of deliveries.values()) each.confirmedIn = undefined;
}
