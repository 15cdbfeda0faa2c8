import type { Clock } from './clock.ts';

/** Bounds of a backoff in ms. */
export interface BackoffBounds {
  readonly min: number;
  readonly max: number;
}

/**
 * The policy for everything that may come back at any moment: a link, a suspended target, a refused source. The ceiling is
 * low enough that traffic flows within five seconds of a broker's return, however long it was away.
 */
export const RECONNECT: BackoffBounds = { min: 500, max: 3000 };

/**
 * Full-jitter exponential backoff: a random time in ms between `min` and a ceiling that starts at `min` and doubles with
 * each attempt up to `max`, so that many who lost the same peer do not come back at once.
 * @param attempt counts from 0, which is never longer than `min`.
 * @param random a number from 0 to 1.
 */
export function fullJitter(bounds: BackoffBounds, attempt: number, random: () => number = Math.random): number {
  const ceiling = Math.min(bounds.max, bounds.min * 2 ** Math.min(attempt, 30));
  return Math.round(bounds.min + random() * (ceiling - bounds.min));
}

/** Attempts of one thing after growing pauses, such as joining a room or consuming a queue that was refused. */
export interface Retry {
  /** Runs `action` after the next pause, in place of what was scheduled before. Does nothing once stopped. */
  schedule(action: () => void): void;
  /** It works again: the next pause is the shortest. */
  reset(): void;
  /** Drops what is scheduled; `schedule` works again. */
  cancel(): void;
  /** No more attempts, also of what is scheduled. */
  stop(): void;
}

/** Makes a retry that waits by `fullJitter`. One per thing to retry; its timer does not keep the process alive. */
export function createRetry(clock: Pick<Clock, 'timeout'>, bounds: BackoffBounds = RECONNECT): Retry {
  let attempt = 0;
  let stopped = false;
  let cancel = (): void => undefined;
  return {
    schedule(action) {
      cancel();
      if (stopped) return;
      cancel = clock.timeout(fullJitter(bounds, attempt), action);
      attempt += 1;
    },
    reset() {
      attempt = 0;
    },
    cancel: () => cancel(),
    stop() {
      stopped = true;
      cancel();
    },
  };
}
