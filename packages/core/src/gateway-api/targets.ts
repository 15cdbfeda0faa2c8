/** A target that is configured no more; what waits for it is kept for a day in case it comes back. */
export interface OrphanStatus {
  readonly consumer: string;
  /** ms since the epoch. */
  readonly since: number;
  /** Whether anything waits for it. */
  readonly backlog: boolean;
}

/** Why nothing is sent to a target but a probe. Times are ms since the epoch. */
export interface SuspensionStatus {
  readonly since: number;
  /** What the target or its link said last. */
  readonly error: string;
  readonly nextAttempt: number;
}

/** A place of a target (a room, a queue, a topic) that takes nothing while others do. Times are ms since the epoch. */
export interface PlaceStatus {
  /** Its address as text. */
  readonly place: string;
  readonly since: number;
  /** What it said last. */
  readonly error: string;
  readonly nextAttempt: number;
  /** Deliveries that wait for it. */
  readonly waiting: number;
}

/** What an operator does with deliveries: try them again at once, make dead letters of them, or drop them for good. */
export type Decision = 'retry' | 'dead-letter' | 'drop';

/** Which deliveries of a target: all that are blocked without a key, else those that fit. */
export interface DeliverySelection {
  /** Of this event. */
  readonly ref?: string;
  /** With this ordering key. */
  readonly lane?: string;
  /** That wait for this place, as `PlaceStatus` names it. */
  readonly place?: string;
}

/** How much a target has before it, for metrics. */
export interface TargetLoad {
  readonly consumer: string;
  readonly connection: string;
  /** Deliveries in memory that are to be sent. */
  readonly waiting: number;
  /** Refused ones and those held behind them. */
  readonly held: number;
  readonly flying: number;
  /** More waits in the log. */
  readonly lagging: boolean;
  /** Refused deliveries that have run out of attempts and hold their lanes until an operator decides (`then: block`). */
  readonly blocked: number;
  /** The target is out: only a probe is sent. */
  readonly suspended: boolean;
  /** Details while it is. */
  readonly suspension?: SuspensionStatus;
  /** Deliveries that were not sent because of `rate` or `quiet`, and are in no summary yet; absent while there are none. */
  readonly limited?: number;
  /** When the quiet hours of the target end, ms since the epoch; absent while there are none. */
  readonly quietUntil?: number;
  /** Places that are suspended by themselves. */
  readonly places: readonly PlaceStatus[];
}
