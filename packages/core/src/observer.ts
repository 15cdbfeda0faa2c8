import type { Outcome } from '@magpie/bus';
import type { Target } from '@magpie/routing';
import type { ConnectionState, PublishResult } from './gateway-api/index.ts';

/**
 * What became of a delivery, for counters. Dropped by its route: `limited` (its place has had its share), `unchanged` (it got the same
 * before), `quiet` (in quiet hours).
 */
export type DeliveryResult = Outcome['state'] | 'refused' | 'limited' | 'unchanged' | 'quiet';

/** What the core tells about itself while it runs, for metrics. Called on the hot path: must be cheap, must not throw. */
export interface CoreObserver {
  /** A batch from a connection was accepted or not; `bypassed` went to its targets past the log. */
  received(connection: string, results: readonly { readonly type: PublishResult['type'] | 'bypassed' }[]): void;
  /** A delivery ended or was refused; `ms` from send to confirmation. */
  delivered(target: Target, result: DeliveryResult, ms?: number): void;
  /** A connection entered a state. */
  state(connection: string, state: ConnectionState): void;
  /** An adapter counted something. */
  adapter(connection: string, counter: string, by: number): void;
}

const nothing = (): void => undefined;

/** Ignores everything; for tests and embedding. */
export const nullObserver: CoreObserver = { received: nothing, delivered: nothing, state: nothing, adapter: nothing };
