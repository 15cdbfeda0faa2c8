import { createServer, type ServerOptions } from 'node:http';
import websocket from '@fastify/websocket';
import { type Logger, newRef } from '@magpie/contract';
import type { Gateway } from '@magpie/core';
import type { Metrics } from '@magpie/telemetry';
import Fastify, { type FastifyInstance } from 'fastify';
import { addOpenApi } from './docs/openapi.ts';
import { addAccess } from './http/access/access.ts';
import type { ApiKey } from './http/access/auth.ts';
import { createTickets } from './http/access/tickets.ts';
import { addUpgradeGuard } from './http/access/upgrade-guard.ts';
import { AnswerBudget } from './http/answers/answer-budget.ts';
import { takeTurn } from './http/answers/large.ts';
import { addErrors, refuseBytes, sendProblem } from './http/problems/errors.ts';
import { addMediaTypes } from './http/requests/media-types.ts';
import { addLoadLimit, MOST_WAITING } from './http/requests/read-body.ts';
import { validatorCompiler } from './http/requests/validation.ts';
import { addResources } from './http/resource.ts';
import { createClosing } from './http/server/closing.ts';
import { listenOn } from './http/server/listening.ts';
import { oneAtATime } from './http/server/one-at-a-time.ts';
import { Sockets } from './http/server/sockets.ts';
import { addStartGuard } from './http/server/starting.ts';
import type { ConfigControl } from './resources/config/control.ts';
import { LINKS, RESOURCES } from './resources/index.ts';
import { PROTOCOL, STREAM_LIMITS, type StreamLimits } from './stream/frames.ts';
import { addStream } from './stream/websocket/route.ts';
import { createStreams } from './stream/websocket/sockets.ts';

/** Where and for whom the API listens. */
export interface HttpOptions {
  readonly host: string;
  readonly port: number;
  readonly keys: readonly ApiKey[];
  readonly cors?: { readonly origins: readonly string[] } | undefined;
}

/** What an API is made of. */
export interface ApiOptions {
  readonly gateway: Gateway;
  readonly http: HttpOptions;
  /** Largest body of a message, bytes. */
  readonly maxBodyBytes: number;
  readonly metrics: Metrics;
  readonly logger: Logger;
  /** The configuration in force, to show it and to load it again; without it these resources answer 404. */
  readonly config?: ConfigControl | undefined;
  /** What needs a human besides the alarms of connections, as sentences for `GET /v1`. */
  readonly alarms?: () => Promise<readonly string[]>;
  /** Bytes of bodies that may be on their way into the log at a time; default `MOST_WAITING`. */
  readonly mostWaiting?: number;
  /** Bytes of large answers that may be made or unread at a time; default `MOST_ANSWERS`. */
  readonly mostAnswers?: number;
  /** Times of requests that are not the usual ones. */
  readonly times?: Partial<RequestTimes>;
  /** Limits of the stream's sockets that are not the usual ones. */
  readonly stream?: Partial<StreamLimits>;
}

/** How long clients may take, ms. */
export interface RequestTimes {
  /** From the first byte of a request to its last. */
  readonly request: number;
  /** From the first byte of a request to the end of its headers. */
  readonly headers: number;
  /** Without taking anything of what is written to it. */
  readonly stalled: number;
}

/** The HTTP side of a gateway. */
export interface Api {
  /** The application, for tests by `inject`. */
  readonly app: FastifyInstance;
  /** Opens the port; resolves to the URL. Rejects with `ListenFailed`. Until the gateway runs all but health and metrics is 503. */
  listen(): Promise<string>;
  /** Ends streams with 1001, lets requests finish, closes. Never hangs: when the signal fires everything is cut. */
  close(signal: AbortSignal): Promise<void>;
}

/** Makes the API of a gateway. Nothing is opened until `listen`. */
export function createApi(options: ApiOptions): Api {
  const { gateway, http, metrics, config, alarms = async () => [] } = options;
  const app = createApp(options);
  const closing = createClosing(app, new Sockets(app.server, options.times?.stalled));
  const limits = { ...STREAM_LIMITS, ...options.stream };
  const streams = createStreams(gateway, metrics, limits);
  const tickets = createTickets(() => performance.now());
  const origins = http.cors?.origins ?? [];
  addErrors(app, options.logger);
  countRequests(app, metrics);
  addUpgradeGuard(app);
  addAccess(app, { keys: http.keys, origins, tickets });
  addStartGuard(app, () => gateway.state === 'starting');
  addMediaTypes(app, bodyLimitOf(options));
  const refused = (): void => metrics.httpOverload.inc({});
  addLoadLimit(app, { most: options.mostWaiting ?? MOST_WAITING, refused });
  addOpenApi(app, gateway.version);
  addWebSocket(app, limits);
  app.decorateRequest('answerShare', undefined);
  app.register(async (scope) => {
    const deps = { gateway, metrics, tickets, config, alarms, links: LINKS };
    addResources(scope, RESOURCES, deps, takeTurn(new AnswerBudget(options.mostAnswers)));
    addStream(scope, { streams, origins, isClosing: () => closing.begun });
  });
  return {
    app,
    listen: () => listenOn(app, http),
    close: (signal) => closing.close(streams.close, signal),
  };
}

/** Room for base64 and for the JSON around a body. */
const BASE64 = 1.4;
const ENVELOPE_BYTES = 64 * 1024;

/** Longest part of a path: the name of a target has an address in it. */
const PARAMETER_CHARACTERS = 2048;

/** How long a request may take to come, ms. */
const REQUEST_MS = 30_000;
const HEADERS_MS = 10_000;

const bodyLimitOf = ({ maxBodyBytes }: ApiOptions): number => Math.ceil(maxBodyBytes * BASE64) + ENVELOPE_BYTES;

function createApp(options: ApiOptions): FastifyInstance {
  const { logger, times: { request: requestTimeout = REQUEST_MS, headers: headersTimeout = HEADERS_MS } = {} } =
    options;
  const server: ServerOptions = {
    requestTimeout,
    headersTimeout,
    keepAliveTimeout: 30_000,
    connectionsCheckingInterval: Math.min(5000, headersTimeout),
  };
  const app = Fastify({
    bodyLimit: bodyLimitOf(options),
    serverFactory: (handle) => createServer(server, oneAtATime(handle)),
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    routerOptions: { maxParamLength: PARAMETER_CHARACTERS },
    requestIdHeader: false,
    genReqId: () => newRef(),
    frameworkErrors: (error, request, reply) => sendProblem(error, request, reply, logger),
    clientErrorHandler: refuseBytes,
  });
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(() => JSON.stringify);
  return app;
}

function addWebSocket(app: FastifyInstance, { frameBytes }: StreamLimits): void {
  app.register(websocket, {
    options: {
      maxPayload: frameBytes,
      perMessageDeflate: false,
      handleProtocols: (offered) => (offered.has(PROTOCOL) ? PROTOCOL : false),
    },
    errorHandler: () => undefined, // The socket closes itself, with the code that says why.
    preClose: (done) => done(), // Sockets are closed in order, see `Closing`.
  });
}

function countRequests(app: FastifyInstance, metrics: Metrics): void {
  app.addHook('onResponse', ({ method, routeOptions }, { statusCode }, done) => {
    metrics.httpRequests.inc({ method, path: routeOptions.url ?? 'none', status: `${statusCode}` });
    done();
  });
}
