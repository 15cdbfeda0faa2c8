import websocket from '@fastify/websocket';
import type { Logger } from '@magpie/contract';
import type { Gateway } from '@magpie/core';
import type { Metrics } from '@magpie/telemetry';
import Fastify, { type FastifyInstance } from 'fastify';
import { serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod';
import { type ApiKey, createAuthenticator } from './auth.ts';
import { Problem, problemBody, toProblem } from './problem.ts';
import { addConnections } from './resources/connections.ts';
import { addEvents } from './resources/events.ts';
import { addHealth } from './resources/health.ts';
import { addMessages } from './resources/messages.ts';
import { addStream } from './stream/route.ts';
import { createStreams, PROTOCOL } from './stream/sessions.ts';

/** Where and for whom the API listens. */
export interface HttpOptions {
  readonly host: string;
  readonly port: number;
  readonly keys: readonly ApiKey[];
  readonly cors?: { readonly origins: readonly string[] } | undefined;
}

export interface ApiOptions {
  readonly gateway: Gateway;
  readonly http: HttpOptions;
  readonly maxBodyBytes: number;
  readonly metrics: Metrics;
  readonly logger: Logger;
}

/** The HTTP side of a gateway. */
export interface Api {
  /** The application, for tests by `inject`. */
  readonly app: FastifyInstance;
  /** Opens the port; resolves to the URL. Throws when it is taken, or beyond loopback without keys. */
  listen(): Promise<string>;
  /** Ends streams with 1001, lets requests finish, closes. Never hangs: when the signal fires everything is cut. */
  close(signal: AbortSignal): Promise<void>;
}

/** Room for base64 and the JSON around a body. */
const ENVELOPE_BYTES = 64 * 1024;
const BASE64 = 1.4;
const LARGEST_FRAME = 64 * 1024;
const OPEN_PATHS: ReadonlySet<string> = new Set(['/livez', '/readyz']);

export function createApi(options: ApiOptions): Api {
  const { gateway, http, maxBodyBytes, logger } = options;
  const app = Fastify({
    bodyLimit: Math.ceil(maxBodyBytes * BASE64) + ENVELOPE_BYTES,
    requestTimeout: 30_000,
    connectionTimeout: 0,
    keepAliveTimeout: 30_000,
    forceCloseConnections: 'idle',
    return503OnClosing: true,
    onProtoPoisoning: 'error',
    onConstructorPoisoning: 'error',
    http: { headersTimeout: 10_000 },
  });
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  addProblems(app, logger);
  addAuthentication(app, http);
  countRequests(app, options.metrics);
  const streams = createStreams({ gateway, metrics: options.metrics });
  app.register(websocket, {
    options: {
      maxPayload: LARGEST_FRAME,
      perMessageDeflate: false,
      handleProtocols: (offered) => (offered.has(PROTOCOL) ? PROTOCOL : false),
    },
    preClose: (done) => done(),
  });
  app.register(async (scope) => {
    addMessages(scope, options);
    addEvents(scope, gateway);
    addConnections(scope, gateway);
    addHealth(scope, options);
    addStream(scope, streams, http.cors?.origins ?? []);
  });
  return {
    app,
    listen: async () => {
      if (http.keys.length === 0 && !isLoopback(http.host)) {
        throw new Error(`refusing to listen on ${http.host} without keys: add http.keys or listen on 127.0.0.1`);
      }
      return app.listen({ host: http.host, port: http.port });
    },
    close: (signal) => close(app, streams.close, signal),
  };
}

const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || host === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(host);

function addProblems(app: FastifyInstance, logger: Logger): void {
  app.setErrorHandler((error, request, reply) => {
    const problem = toProblem(error);
    if (problem.status >= 500) logger.error({ request: request.id, error: String(error) }, 'a request failed');
    void reply
      .code(problem.status)
      .headers(problem.headers)
      .type('application/problem+json')
      .send(JSON.stringify(problemBody(problem, request.id)));
  });
  app.setNotFoundHandler((request) => {
    throw new Problem(404, 'Not found', `There is nothing at ${request.method} ${request.url.split('?')[0]}.`);
  });
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Id of the key that was used; undefined without keys. */
    principal: string | undefined;
  }
}

function addAuthentication(app: FastifyInstance, { keys }: HttpOptions): void {
  const authenticator = createAuthenticator(keys);
  app.decorateRequest('principal', undefined);
  app.addHook('onRequest', async (request) => {
    if (OPEN_PATHS.has(request.url)) return;
    request.principal = authenticator.authenticate(request.headers.authorization, request.ip);
  });
}

function countRequests(app: FastifyInstance, metrics: Metrics): void {
  app.addHook('onResponse', async ({ method, routeOptions }, { statusCode }) => {
    metrics.httpRequests.inc({ method, route: routeOptions.url ?? 'none', status: `${statusCode}` });
  });
}

const GRACE_MS = 2000;

async function close(app: FastifyInstance, endStreams: () => void, signal: AbortSignal): Promise<void> {
  endStreams();
  const cut = (): void => app.server.closeAllConnections();
  const timer = setTimeout(cut, GRACE_MS);
  signal.addEventListener('abort', cut, { once: true });
  if (signal.aborted) cut();
  await app.close();
  clearTimeout(timer);
}
