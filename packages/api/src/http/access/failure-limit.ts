import { isIPv6 } from 'node:net';
import { Problem, retryAfter } from '../problems/problem.ts';

/** Wrong keys with the same prefix allowed per network and minute. */
export const FAILURES_PER_KEY = 5;
/** Wrong keys of any prefix allowed per network and minute: a guesser varies the prefix. */
export const FAILURES_PER_NETWORK = 20;

const MINUTE = 60_000;

/**
 * Characters of a key that distinguish wrong keys, so that one misconfigured app behind a proxy does not block others.
 */
const PREFIX = 6;

/** Maximum number of counters; beyond it the oldest is removed. */
const ENTRIES = 10_000;

/** Slows down guessing of keys. Consulted only for wrong keys, so it never refuses a valid one. */
export interface FailureLimit {
  /** Counts a wrong key or ticket from an address; throws `Problem` 429 when there were too many. */
  failed(address: string, secret: string): void;
  /** Networks that have used too many wrong keys in the last minute. */
  exceeded(): readonly string[];
}

/** Counts failures per network and key prefix in windows of a minute. `now`: monotonic ms. Memory is bounded. */
export function createFailureLimit(now: () => number): FailureLimit {
  const failures = new Map<string, { count: number; readonly since: number }>();

  /** Counts one failure; returns the time to wait in ms, 0 below the limit. */
  const count = (key: string, most: number): number => {
    const known = failures.get(key);
    const entry = known && known.since + MINUTE > now() ? known : { count: 0, since: now() };
    failures.delete(key);
    failures.set(key, entry);
    const oldest = failures.keys().next();
    if (failures.size > ENTRIES && !oldest.done) failures.delete(oldest.value);
    return ++entry.count > most ? entry.since + MINUTE - now() : 0;
  };

  return {
    exceeded: () =>
      [...failures]
        .filter(
          ([key, { count: many, since }]) =>
            !key.includes(' ') && many > FAILURES_PER_NETWORK && since + MINUTE > now(),
        )
        .map(([network]) => network),
    failed: (address, secret) => {
      const network = networkOf(address);
      const wait = Math.max(
        count(network, FAILURES_PER_NETWORK),
        count(`${network} ${secret.slice(0, PREFIX)}`, FAILURES_PER_KEY),
      );
      if (wait > 0)
        throw new Problem(429, 'Too many wrong keys from this address: wait as long as Retry-After says.', {
          headers: retryAfter(wait),
        });
    },
  };
}

/** The network of one subscriber: the address itself, or the /64 of an IPv6 address (RFC 6177). */
export function networkOf(address: string): string {
  if (!isIPv6(address)) return address;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  const [head = '', tail] = address.split('%')[0]!.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : 8 - left.length - right.length;
  const groups = [...left, ...Array.from({ length: zeros }, () => '0'), ...right];
  return `${groups
    .slice(0, 4)
    .map((group) => group.toLowerCase().replace(/^0+(?=.)/, ''))
    .join(':')}::/64`;
}
