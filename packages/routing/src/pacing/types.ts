import type { Event } from '@magpie/contract';
import type { MappedBody } from '../route/body.ts';

/** Values that a summary names, by the names of its lists: `devices` for the capture `device`. */
export type SummaryValues = Readonly<Record<string, readonly string[]>>;

/** One message in the place of many. */
export interface Summary {
  /** What a message adds to the lists of its summary. Called per message that is not sent. Throws `Rejected`. */
  values(event: Event): Readonly<Record<string, string>>;
  /** The body that says how many messages there were. Called once per summary. Throws `Rejected`. */
  body(count: number, values: SummaryValues): MappedBody;
}

/** How many messages each place of a target gets. */
export interface RateLimit {
  readonly max: number;
  /** ms */
  readonly per: number;
  /** What is said of those beyond `max`; without it they are dropped. */
  readonly summary?: Summary;
}

/** Lets through what differs from the last of its key and place. */
export interface ChangeFilter {
  /** What is compared of a message; absent: its body and options as they are sent. Called per attempt. Throws `Rejected`. */
  value?(event: Event): string;
}

/** Whether it is quiet at a moment, and until when that stays so, in ms since the epoch. */
export interface QuietState {
  readonly isQuiet: boolean;
  readonly until: number;
}

/** Hours in which a target gets nothing. */
export interface QuietHours {
  /** What becomes of what would be sent then. */
  readonly then: 'hold' | 'drop' | 'summary';
  /** Pure; costs some 100 µs, so its answer is kept until it ends. */
  state(now: number): QuietState;
  /** How long they last, in ms, but for a change of the clock. */
  readonly longest: number;
  /** Set with `then: summary`. */
  readonly summary?: Summary;
  /**
   * Whether a message is sent all the same. Called per match, and per attempt after `render`, within their budgets of steps. Throws
   * `Rejected`.
   */
  isExempt?(event: Event): boolean;
}

/** What a target does not get, or gets later, though it matches. */
export interface Pacing {
  readonly rate?: RateLimit;
  readonly change?: ChangeFilter;
  readonly quiet?: QuietHours;
}
