import { createHash, timingSafeEqual } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { createAccess, type Grant, grantsOf, OPEN_ACCESS, type Places, principalText, type Role } from '@magpie/access';
import { Problem } from '../problems/problem.ts';
import { createFailureLimit, networkOf } from './failure-limit.ts';
import type { Caller } from './permit.ts';

/** A configured key: its name, the SHA-256 of its secret in hexadecimal, and what it may do. */
export interface ApiKey {
  readonly id: string;
  readonly hash: string;
  readonly roles: readonly Role[];
  readonly grants: readonly Grant[];
}

/** Identifies callers. */
export interface Authenticator {
  /** Whether a key is required at present. */
  readonly required: boolean;
  /** Takes other keys from now on. A caller whose key is still there, with the same roles and grants, stays the same object. */
  replace(keys: readonly ApiKey[]): void;
  /** Whether a caller who was let in would be let in now, as the same. */
  isCurrent(caller: Caller): boolean;
  /**
   * Who has the key in an `Authorization` header; anybody when no keys are configured. `address` is the caller's,
   * for the limit on wrong keys. Called for every request. Throws `Problem` 401 for a missing or wrong key, 429 after
   * too many wrong ones; a valid key is always accepted.
   */
  byHeader(authorization: string | undefined, address: string): Caller;
  /** The same for a one-time ticket; `take` returns the caller it was issued to. */
  byTicket(take: () => Caller | undefined, ticket: string, address: string): Caller;
  /** Networks that guess keys at present. */
  guessing(): readonly string[];
}

/** Hears of a caller that is not let in; `network` as `networkOf` names it. */
export type RefusedLogin = (network: string, reason: 'no key' | 'a wrong key' | 'a wrong ticket') => void;

/** Anybody, of an API without keys. */
export const ANYBODY: Caller = { principal: undefined, access: OPEN_ACCESS };

/** A key with what is made of it. */
interface Known {
  readonly key: ApiKey;
  readonly digest: Buffer;
  readonly caller: Caller;
}

/** Authenticates by the configured keys; `now` is monotonic time in ms. */
export function createAuthenticator(
  keys: readonly ApiKey[],
  places: Places,
  now: () => number,
  refused: RefusedLogin = () => undefined,
): Authenticator {
  const know = (key: ApiKey): Known => ({
    key,
    digest: Buffer.from(key.hash, 'hex'),
    caller: {
      principal: principalText({ kind: 'key', id: key.id }),
      access: createAccess({ id: key.id, grants: grantsOf(key.roles, key.grants) }, places),
    },
  });
  let known = keys.map(know);
  const limit = createFailureLimit(now);

  /** Every key is compared, so that timing reveals nothing. */
  const find = (token: string): Caller | undefined => {
    const digest = createHash('sha256').update(token).digest();
    return known.filter((each) => each.digest.length === digest.length && timingSafeEqual(each.digest, digest))[0]
      ?.caller;
  };

  const isCurrent = (caller: Caller): boolean =>
    known.length === 0 ? caller === ANYBODY : known.some((each) => each.caller === caller);

  return {
    guessing: limit.exceeded,
    get required() {
      return known.length > 0;
    },
    replace: (wanted) => {
      known = wanted.map((key) => known.find((each) => isDeepStrictEqual(each.key, key)) ?? know(key));
    },
    isCurrent,
    byHeader: (authorization, address) => {
      if (known.length === 0) return ANYBODY;
      const token = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
      const caller = token === undefined ? undefined : find(token);
      if (caller !== undefined) return caller;
      refused(networkOf(address), token === undefined ? 'no key' : 'a wrong key');
      if (token !== undefined) limit.failed(address, token);
      throw unauthorized('Expected a valid key as "Authorization: Bearer <key>".');
    },
    byTicket: (take, ticket, address) => {
      const taken = take();
      if (taken && isCurrent(taken)) return taken;
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
