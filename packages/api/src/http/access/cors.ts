import cors from '@fastify/cors';
import type { FastifyInstance } from 'fastify';

const METHODS = ['GET', 'HEAD', 'POST', 'DELETE'];
const ALLOWED = ['authorization', 'content-type', 'idempotency-key', 'traceparent', 'tracestate', 'magpie-via'];
const EXPOSED = ['location', 'link', 'retry-after', 'x-request-id'];
const PREFLIGHT_SECONDS = 600;

/**
 * Lets pages of the given origins use the API (CORS, WHATWG Fetch) and answers their preflight requests, which carry no
 * key. Other origins get no permission, so browsers block their pages.
 */
export function addCors(app: FastifyInstance, origins: readonly string[]): void {
  if (origins.length === 0) return;
  const options = {
    origin: async (origin: string | undefined) => origin !== undefined && origins.includes(origin),
    methods: METHODS,
    allowedHeaders: ALLOWED,
    exposedHeaders: EXPOSED,
    maxAge: PREFLIGHT_SECONDS,
    strictPreflight: false,
  };
  // Called, not registered: a registered plugin's hooks would run after ours, and preflights would be asked for a key
  // first.
  cors(app, options, () => undefined);
}
