import { isLoopback } from '@magpie/contract';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Problem } from './problem.ts';

const EXPOSED = 'location, link, retry-after, x-request-id';
const PREFLIGHT = {
  'access-control-allow-methods': 'GET, HEAD, POST, DELETE',
  'access-control-allow-headers': 'authorization, content-type, idempotency-key, traceparent, tracestate, magpie-via',
  'access-control-max-age': '600',
} as const;

/**
 * Lets pages of the given origins use the API (CORS, WHATWG Fetch) and answers their preflight requests, which carry no
 * key. Other origins get no permission, so browsers keep their pages out.
 */
export function addCors(app: FastifyInstance, origins: readonly string[]): void {
  app.addHook('onRequest', (request, reply, done) => {
    const { origin } = request.headers;
    if (origin === undefined) return done();
    reply.header('vary', 'origin');
    if (!origins.includes(origin)) return done();
    reply.headers({ 'access-control-allow-origin': origin, 'access-control-expose-headers': EXPOSED });
    return isPreflight(request) ? void answer(reply) : done();
  });
}

const isPreflight = ({ method, headers }: FastifyRequest): boolean =>
  method === 'OPTIONS' && headers['access-control-request-method'] !== undefined;

const answer = (reply: FastifyReply): FastifyReply => reply.headers(PREFLIGHT).code(204).send();

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

/** Throws `Problem` 403 when a page of another origin that is not allowed opens a WebSocket. Apps send no origin. */
export function checkOrigin({ origin, host = '' }: FastifyRequest['headers'], origins: readonly string[]): void {
  if (origin === undefined || origins.includes(origin)) return;
  if (URL.parse(origin)?.host === host) return;
  throw new Problem(403, `Pages of ${origin} may not use the stream: add it to http.cors.origins.`);
}
