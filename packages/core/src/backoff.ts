/** Bounds of a backoff in ms. */
export interface BackoffBounds {
  readonly min: number;
  readonly max: number;
}

/** Reconnect policy of every connection. */
export const RECONNECT: BackoffBounds = { min: 500, max: 30_000 };

/**
 * Full-jitter exponential backoff: a random time between `min` and the doubled ceiling of the attempt, in ms.
 * `attempt` counts from 0.
 */
export function fullJitter(bounds: BackoffBounds, attempt: number, random: () => number = Math.random): number {
  const ceiling = Math.min(bounds.max, bounds.min * 2 ** Math.min(attempt, 30));
  return Math.round(bounds.min + random() * (ceiling - bounds.min));
}
