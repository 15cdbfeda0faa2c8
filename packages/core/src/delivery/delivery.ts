import type { Attempt, Position } from '@magpie/bus';
import type { Event, Rejected } from '@magpie/contract';
import type { Target } from '@magpie/routing';
import type { TargetStatus } from '../gateway-api/index.ts';

/**
 * One event on its way to one target.
 * - `ready`: to be sent when its turn comes
 * - `flight`: sent, unconfirmed
 * - `failed`: refused, its lane waits to try it again
 * - `blocked`: out of attempts, holds its lane until an operator decides
 * - `closing`: its dead letter is being written
 * - `settled`: nothing left to do
 */
export interface Delivery {
  readonly position: Position;
  readonly event: Event;
  readonly lane: Lane;
  state: 'ready' | 'flight' | 'failed' | 'blocked' | 'closing' | 'settled';
  readonly attempts: Attempt[];
  /** An earlier send may have arrived. */
  redelivered: boolean;
  /** Set while it may be what ends the link; see `Suspects`. */
  suspicion: Suspicion | undefined;
  /** The place that does not take it at present, as `Places` names it. */
  place: string | undefined;
  /** It waits for the end of quiet hours. */
  isQuiet: boolean;
  /** When the next attempt is due, ms since the epoch. */
  nextAttempt: number | undefined;
  /** It has an exception row, or one is being written. */
  remembered: boolean;
  /** Its exception row is durable: the floor may pass it. */
  parked: boolean;
  /** Condition or key could not be evaluated at match. */
  readonly error: Rejected | undefined;
}

/** What speaks for a delivery being the reason why its link ends. */
export interface Suspicion {
  /** How often the link has ended while it was in flight with others, without an answer in between. */
  together: number;
  /** How often the link has ended while it was alone on its way. */
  losses: number;
  /** How long the link lasted after it was sent, in ms. */
  lastedMs: number;
  /** `LinkHealth.idleLosses` when it was suspected last. */
  idleLosses: number;
}

/** Deliveries of one target with one ordering key. Order among them is kept; other lanes are not affected. */
export interface Lane {
  readonly key: string;
  /** Deliveries in flight. */
  flying: number;
  /** Deliveries not yet settled; the lane is forgotten at zero. */
  alive: number;
  /** Refused deliveries in log order; while there are any, the lane sends only the first of them. */
  readonly failed: Delivery[];
  /** Deliveries that came up while the lane could not send, in log order. */
  waiting: Delivery[];
  /** The backoff of the first refused delivery has passed. */
  due: boolean;
  /** Cancels the backoff. */
  cancel: (() => void) | undefined;
}

/** What is known of a delivery that is not settled. */
export function describe(delivery: Delivery, { consumer, connection }: Target): TargetStatus {
  const { attempts } = delivery;
  const last = attempts.at(-1);
  return {
    consumer,
    connection,
    state: stateOf(delivery),
    attempts: attempts.length,
    ...(last ? { error: last.message, at: last.at, failures: [...attempts] } : {}),
    ...(delivery.nextAttempt === undefined ? {} : { nextAttempt: delivery.nextAttempt }),
  };
}

function stateOf({ state, lane }: Delivery): TargetStatus['state'] {
  if (state === 'flight') return 'in-flight';
  if (state === 'blocked') return 'blocked';
  return lane.failed.length > 0 ? 'held' : 'waiting';
}
