import { createHash, timingSafeEqual } from 'node:crypto';
import { Problem } from './problem.ts';

/** A configured key: its name and the SHA-256 of its secret in hexadecimal. */
export interface ApiKey {
  readonly id: string;
  readonly hash: string;
}

/** Failed tries per address and minute before it has to wait. */
const FAILURES_PER_MINUTE = 5;
const MINUTE = 60_000;

/** Tells who calls. */
export interface Authenticator {
  /**
   * The id of the key in an `Authorization` header; undefined when no keys are configured. Throws `Problem` 401 for a missing
   * or wrong key, 429 after too many wrong ones from one address.
   */
  authenticate(authorization: string | undefined, address: string): string | undefined;
}

export function createAuthenticator(keys: readonly ApiKey[], now: () => number = Date.now): Authenticator {
  const hashes = keys.map(({ id, hash }) => ({ id, digest: Buffer.from(hash, 'hex') }));
  const failures = new Map<string, { count: number; since: number }>();

  const check = (address: string): void => {
    const failed = failures.get(address);
    if (!failed || failed.count < FAILURES_PER_MINUTE) return;
    const wait = failed.since + MINUTE - now();
    if (wait <= 0) return void failures.delete(address);
    const headers = { 'retry-after': `${Math.ceil(wait / 1000)}` };
    throw new Problem(429, 'Too many requests', 'Too many wrong keys from this address.', { headers });
  };

  const note = (address: string): void => {
    const failed = failures.get(address);
    if (!failed || failed.since + MINUTE < now()) failures.set(address, { count: 1, since: now() });
    else failed.count++;
    if (failures.size > 10_000) failures.clear();
  };

  return {
    authenticate: (authorization, address) => {
      if (hashes.length === 0) return undefined;
      check(address);
      const token = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
      const digest = createHash('sha256')
        .update(token ?? '')
        .digest();
      // Every key is compared, so that the time taken says nothing.
      const matching = hashes.filter((each) => timingSafeEqual(each.digest, digest));
      if (token !== undefined && matching[0]) return matching[0].id;
      if (token !== undefined) note(address);
      throw new Problem(401, 'Unauthorized', 'Expected a valid key as "Authorization: Bearer <key>".', {
        headers: { 'www-authenticate': 'Bearer' },
      });
    },
  };
}
