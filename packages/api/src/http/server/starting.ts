import type { FastifyInstance } from 'fastify';
import { unavailable } from '../problems/problem.ts';

/** Paths that are answered from the beginning: health and metrics. */
const ALWAYS: ReadonlySet<string | undefined> = new Set(['/livez', '/readyz', '/metrics']);

/** Value of `retry-after` while the gateway starts, in ms. */
const RETRY_MS = 1000;

/**
 * Answers 503 until the gateway runs: the port is open before the log is read and anything is connected. Health and metrics
 * are answered always.
 */
export function addStartGuard(app: FastifyInstance, isStarting: () => boolean): void {
  app.addHook('onRequest', ({ routeOptions: { url } }, _, done) => {
    if (isStarting() && !ALWAYS.has(url))
      throw unavailable('The gateway is starting: try again as Retry-After says.', RETRY_MS);
    done();
  });
}
