import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Problem } from '../problems/problem.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Whether it becomes a WebSocket. */
    readonly upgrades?: boolean;
  }
}

/**
 * Refuses upgrades on any path that is not a WebSocket: the socket would stay open, without a key and without use. The
 * socket of a refused upgrade is returned to our care, as the HTTP server no longer watches it.
 */
export function addUpgradeGuard(app: FastifyInstance): void {
  app.addHook('onRequest', (request, _, done) => {
    if (asksForUpgrade(request) && !request.routeOptions.config.upgrades) {
      throw new Problem(426, `There is no WebSocket at ${request.url.split('?')[0]}.`);
    }
    done();
  });
  app.addHook('onResponse', (request, _, done) => {
    if (asksForUpgrade(request)) request.raw.socket.destroy();
    done();
  });
}

/** Whether the server treats a request as an upgrade (RFC 9110, 7.8). */
const asksForUpgrade = ({ headers }: FastifyRequest): boolean =>
  headers.upgrade !== undefined && /(^|,)\s*upgrade\s*(,|$)/i.test(headers.connection ?? '');
