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

/** What a target does not get, or gets later, though it matches. */
export interface Pacing {
  readonly rate?: RateLimit;
}
