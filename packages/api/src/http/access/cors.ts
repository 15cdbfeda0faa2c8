import cors from '@fastify/cors';
import type { FastifyInstance } from 'fastify';

const METHODS = ['GET', 'HEAD', 'POST', 'DELETE'];
const ALLOWED = ['authorization', 'content-type', 'idempotency-key', 'traceparent', 'tracestate', 'magpie-via'];
const EXPOSED = ['location', 'link', 'retry-after', 'x-request-id'];
const PREFLIGHT_SECONDS = 600;

/**
 * Lets pages of the given origins use the API (CORS, WHATWG Fetch) and answers their preflight requests, which carry no
 * key. Other origins get no permission, so browsers keep their pages out.
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
  // Called, not registered: what is registered comes after all hooks that are added at once, and keys would be asked for first.
  cors(app, options, () => undefined);
}
