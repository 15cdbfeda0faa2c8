import { Problem, retryAfter } from '../problems/problem.ts';

/** Wrong keys per address and minute before it has to wait. */
export const FAILURES_PER_MINUTE = 5;

const MINUTE = 60_000;

/** Addresses remembered; beyond it the oldest is forgotten. */
const ADDRESSES = 10_000;

/** Slows down whoever guesses. */
export interface FailureLimit {
  /** Throws `Problem` 429 while an address has failed too often. */
  check(address: string): void;
  /** Notes a failure. */
  count(address: string): void;
}

/** Counts failures per address in windows of a minute; `now` in ms. Memory is bounded. */
export function createFailureLimit(now: () => number): FailureLimit {
  const failures = new Map<string, { count: number; readonly since: number }>();

  const current = (address: string) => {
    const failed = failures.get(address);
    return failed && failed.since + MINUTE > now() ? failed : undefined;
  };

  return {
    check: (address) => {
      const failed = current(address);
      if (!failed || failed.count < FAILURES_PER_MINUTE) return;
      const headers = retryAfter(failed.since + MINUTE - now());
      throw new Problem(429, 'Too many wrong keys from this address.', { headers });
    },
    count: (address) => {
      const failed = current(address);
      if (failed) return void failed.count++;
      failures.delete(address);
      failures.set(address, { count: 1, since: now() });
      const oldest = failures.keys().next();
      if (failures.size > ADDRESSES && !oldest.done) failures.delete(oldest.value);
    },
  };
}
