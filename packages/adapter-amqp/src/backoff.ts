import type { Clock } from '@magpie/contract';

const MIN_MS = 500;
const MAX_MS = 30_000;

/** Full-jitter delay in ms before attempt number `attempt` (from 0): 0.5 s at least, growing to at most 30 s. */
export function backoff(attempt: number, random: () => number = Math.random): number {
  const ceiling = Math.min(MAX_MS, 2 * MIN_MS * 2 ** Math.min(attempt, 16));
  return MIN_MS + random() * (ceiling - MIN_MS);
}

/** Attempts of one thing after growing pauses. */
export interface Retry {
  /** Runs `action` after the next pause; one at a time. */
  schedule(action: () => void): void;
  /** It works again: the next pause is the shortest. */
  reset(): void;
  /** No more attempts, also of what is scheduled. */
  stop(): void;
}

export function createRetry(clock: Clock): Retry {
  let attempt = 0;
  let stopped = false;
  let cancel = (): void => undefined;
  return {
    schedule(action) {
      cancel();
      if (stopped) return;
      cancel = clock.timeout(backoff(attempt), action);
      attempt += 1;
    },
    reset() {
      attempt = 0;
    },
    stop() {
      stopped = true;
      cancel();
    },
  };
}
