import { isLoopback } from '@magpie/contract';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Problem } from '../problems/problem.ts';

/**
 * Without keys a request must name this machine in its `Host`: otherwise a web page could reach a loopback API through
 * its own DNS name that points here (DNS rebinding). `isNeeded`: whether there are no keys at present.
 */
export function addHostGuard(app: FastifyInstance, isNeeded: () => boolean): void {
  let known: string | undefined; // Clients repeat the same host in every request.
  app.addHook('onRequest', ({ headers: { host = '' } }, _, done) => {
    if (host === known || !isNeeded()) return done();
    if (!isLoopback(hostOf(host) ?? '')) {
      throw new Problem(
        421,
        `Expected a Host that names this machine, such as "localhost", got "${host}": other names need http.keys.`,
      );
    }
    known = host;
    return done();
  });
}

const hostOf = (host: string): string | undefined => URL.parse(`http://${host}`)?.hostname;

/** Methods that change nothing (RFC 9110, 9.2.1); browsers hide their answers from pages of other origins. */
const SAFE: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Refuses requests that change something and come from a page of another origin. Browsers send requests of simple types
 * and those without a body without a preflight, so a page could do everything that needs no key.
 */
export function addPageGuard(app: FastifyInstance, origins: readonly string[]): void {
  app.addHook('onRequest', ({ method, headers }, _, done) => {
    if (!SAFE.has(method)) checkOrigin(headers, origins);
    done();
  });
}

/**
 * Throws `Problem` 403 for a request from a page of an origin that is not allowed, according to the browser's headers
 * (`Sec-Fetch-Site`, W3C Fetch Metadata; `Origin`, RFC 6454). Other clients send neither.
 */
export function checkOrigin(headers: FastifyRequest['headers'], origins: readonly string[]): void {
  const { origin, host = '', 'sec-fetch-site': site } = headers;
  if (site === 'same-origin' || site === 'none') return;
  if (origin === undefined && site === undefined) return;
  if (origin !== undefined && (origins.includes(origin) || URL.parse(origin)?.host === host)) return;
  throw new Problem(
    403,
    `Pages of ${origin ?? 'other sites'} may not do this: to allow them, add their origin to http.cors.origins.`,
  );
}
