import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Problem } from '../problems/problem.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Becomes a WebSocket. */
    readonly upgrades?: boolean;
  }
}

/**
 * Refuses to make a WebSocket of a request to any path that is none: without a key it would be kept open for nothing. The
 * socket of every refused upgrade is taken back, since no server looks after it any more.
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

/** Whether the server takes a request for an upgrade (RFC 9110, 7.8). */
const asksForUpgrade = ({ headers }: FastifyRequest): boolean =>
  headers.upgrade !== undefined && /(^|,)\s*upgrade\s*(,|$)/i.test(headers.connection ?? '');
