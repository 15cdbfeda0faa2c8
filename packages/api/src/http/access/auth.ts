import { createHash, timingSafeEqual } from 'node:crypto';
import { Problem } from '../problems/problem.ts';
import { createFailureLimit, networkOf } from './failure-limit.ts';

/** A configured key: its name and the SHA-256 of its secret in hexadecimal. */
export interface ApiKey {
  readonly id: string;
  readonly hash: string;
}

/** Identifies callers. */
export interface Authenticator {
  /** Whether a key is required. */
  readonly required: boolean;
  /**
   * The id of the key in an `Authorization` header; undefined when no keys are configured. `address` is the caller's,
   * for the limit on wrong keys. Called for every request. Throws `Problem` 401 for a missing or wrong key, 429 after
   * too many wrong ones; a valid key is always accepted.
   */
  byHeader(authorization: string | undefined, address: string): string | undefined;
  /** The same for a one-time ticket; `take` returns the principal it was issued to. */
  byTicket(
    take: () => { readonly principal: string | undefined } | undefined,
    ticket: string,
    address: string,
  ): string | undefined;
  /** Networks that guess keys at present. */
  guessing(): readonly string[];
}

/** Hears of a caller that is not let in; `network` as `networkOf` names it. */
export type RefusedLogin = (network: string, reason: 'no key' | 'a wrong key' | 'a wrong ticket') => void;

/** Authenticates by the configured keys; `now` is monotonic time in ms. */
export function createAuthenticator(
  keys: readonly ApiKey[],
  now: () => number,
  refused: RefusedLogin = () => undefined,
): Authenticator {
  const known = keys.map(({ id, hash }) => ({ id, digest: Buffer.from(hash, 'hex') }));
  const limit = createFailureLimit(now);

  /** Every key is compared, so that timing reveals nothing. */
  const find = (token: string): string | undefined => {
    const digest = createHash('sha256').update(token).digest();
    return known.filter((each) => each.digest.length === digest.length && timingSafeEqual(each.digest, digest))[0]?.id;
  };

  return {
    guessing: limit.exceeded,
    required: known.length > 0,
    byHeader: (authorization, address) => {
      if (known.length === 0) return undefined;
      const token = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
      const id = token === undefined ? undefined : find(token);
      if (id !== undefined) return id;
      refused(networkOf(address), token === undefined ? 'no key' : 'a wrong key');
      if (token !== undefined) limit.failed(address, token);
      throw unauthorized('Expected a valid key as "Authorization: Bearer <key>".');
    },
    byTicket: (take, ticket, address) => {
      const taken = take();
      if (taken) return taken.principal;
      refused(networkOf(address), 'a wrong ticket');
      limit.failed(address, ticket);
      throw unauthorized(
        'Expected a valid ticket: this one is unknown, used or older than 30 s. Get a new one with POST /v1/tickets.',
      );
    },
  };
}

const unauthorized = (detail: string): Problem =>
  new Problem(401, detail, { headers: { 'www-authenticate': 'Bearer realm="magpie"' } });
