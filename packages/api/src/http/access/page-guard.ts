import { isLoopback } from '@magpie/contract';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Problem } from '../problems/problem.ts';

/**
 * Without keys a request must name this machine in its `Host`: else a page could reach a loopback API by a DNS name of its
 * own that points here.
 */
export function addHostGuard(app: FastifyInstance): void {
  let known: string | undefined; // A client says the same in every request.
  app.addHook('onRequest', ({ headers: { host = '' } }, _, done) => {
    if (host === known) return done();
    if (!isLoopback(hostOf(host) ?? '')) {
      throw new Problem(
        421,
        `Expected a Host of this machine such as "localhost", got "${host}": other names need http.keys.`,
      );
    }
    known = host;
    return done();
  });
}

const hostOf = (host: string): string | undefined => URL.parse(`http://${host}`)?.hostname;

/** Methods that change nothing (RFC 9110, 9.2.1); browsers keep the answers from pages of other origins. */
const SAFE: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Refuses requests that change something and come from a page of another origin. Browsers send those of simple types and
 * those without a body unasked: a page could do whatever needs no key.
 */
export function addPageGuard(app: FastifyInstance, origins: readonly string[]): void {
  app.addHook('onRequest', ({ method, headers }, _, done) => {
    if (!SAFE.has(method)) checkOrigin(headers, origins);
    done();
  });
}

/**
 * Throws `Problem` 403 when a page of another origin that is not allowed sends a request, by what its browser says of it
 * (`Sec-Fetch-Site`, W3C Fetch Metadata; `Origin`, RFC 6454). Apps say neither.
 */
export function checkOrigin(headers: FastifyRequest['headers'], origins: readonly string[]): void {
  const { origin, host = '', 'sec-fetch-site': site } = headers;
  if (site === 'same-origin' || site === 'none') return;
  if (origin === undefined && site === undefined) return;
  if (origin !== undefined && (origins.includes(origin) || URL.parse(origin)?.host === host)) return;
  throw new Problem(403, `Pages of ${origin ?? 'other sites'} may not do this: add their origin to http.cors.origins.`);
}
