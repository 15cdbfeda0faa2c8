import { lookup as systemLookup } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import type { buildConnector } from 'undici';
import { isPublicAddress } from './public-address.ts';

/** A connection that must not be made, because of where it would lead. */
export class ForbiddenAddress extends Error {
  override readonly name = 'ForbiddenAddress';
}

/** What resolves names; the system's resolver outside of tests. */
export type Resolve = (
  host: string,
  options: { readonly all: true },
  found: (
    error: NodeJS.ErrnoException | null,
    addresses: ReadonlyArray<{ readonly address: string; readonly family: number }>,
  ) => void,
) => void;

const resolveBySystem: Resolve = (host, options, found) =>
  systemLookup(host, options, (error, addresses) => found(error, error ? [] : addresses));

/**
 * Connects to the public Internet only, and to the hosts that are allowed by name. The addresses that are checked are those that the
 * socket gets: a name that resolves otherwise a moment later changes nothing. A name that has one address which is not public is refused
 * altogether.
 * @param make the library's maker of connectors.
 * @param allow host names or addresses in lower case, which may be anywhere.
 */
export function guardedConnector(
  make: typeof buildConnector,
  allow: ReadonlySet<string>,
  resolve: Resolve = resolveBySystem,
): buildConnector.connector {
  const lookup: LookupFunction = (host, options, found) =>
    resolve(host, { all: true }, (error, addresses) => {
      const bad = addresses.find(({ address }) => !isPublicAddress(address));
      const [first] = addresses;
      if (error || bad || !first) {
        found(error ?? refusal(host, bad?.address ?? 'no address'), '', 0);
        return;
      }
      if (options.all) found(null, [...addresses]);
      else found(null, first.address, first.family);
    });
  const guarded = make({ lookup });
  const free = make({});
  return (options, connected) => {
    const host = options.hostname.replace(/^\[|\]$/g, '').toLowerCase();
    if (allow.has(host)) return free(options, connected);
    // A socket asks no resolver about an address.
    if (isIP(host) !== 0 && !isPublicAddress(host)) return connected(refusal(host, host), null);
    return guarded(options, connected);
  };
}

const refusal = (host: string, address: string): ForbiddenAddress =>
  new ForbiddenAddress(
    host === address
      ? `${host} is not an address of the public Internet`
      : `${host} is ${address}, which is not an address of the public Internet`,
  );
