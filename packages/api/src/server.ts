import { createServer, type RequestListener, type Server, type ServerOptions } from 'node:http';
import { createServer as createTlsServer, Server as TlsServer } from 'node:https';
import websocket from '@fastify/websocket';
import type { Places } from '@magpie/access';
import { isLoopback, type Logger, newRef } from '@magpie/contract';
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
import { addProxy, type ProxySettings, proxyOptions } from './http/server/behind-proxy.ts';
import { Certificates, type TlsSettings } from './http/server/certificates.ts';
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
export interface HttpOptions extends ProxySettings {
  readonly host: string;
  readonly port: number;
  readonly keys: readonly ApiKey[];
  /** With it the API speaks TLS only. */
  readonly tls?: TlsSettings | undefined;
  readonly cors?: { readonly origins: readonly string[] } | undefined;
}

/** The parts of an API. */
export interface ApiOptions {
  readonly gateway: Gateway;
  readonly http: HttpOptions;
  /** Largest body of a message, bytes. */
  readonly maxBodyBytes: number;
  readonly metrics: Metrics;
  readonly logger: Logger;
  /** Access to the configuration in force; without it the config resources answer 404. */
  readonly config?: ConfigControl | undefined;
  /** Alarms besides those of connections, as sentences for `GET /v1`. */
  readonly alarms?: () => Promise<readonly string[]>;
  /** Maximum total bytes of bodies on their way into the log; default `MOST_WAITING`. */
  readonly mostWaiting?: number;
  /** Maximum total bytes of large answers being made or unread; default `MOST_ANSWERS`. */
  readonly mostAnswers?: number;
  /** Overrides of request time limits. */
  readonly times?: Partial<RequestTimes>;
  /** Overrides of the stream's limits. */
  readonly stream?: Partial<StreamLimits>;
}

/** Time limits for clients, ms. */
export interface RequestTimes {
  /** From the first byte of a request to its last. */
  readonly request: number;
  /** From the first byte of a request to the end of its headers. */
  readonly headers: number;
  /** Without reading anything that is written to the client. */
  readonly stalled: number;
}

/** The HTTP side of a gateway. */
export interface Api {
  /** The application, for tests by `inject`. */
  readonly app: FastifyInstance;
  /**
   * Opens the port; resolves to the URL. Rejects with `ListenFailed`. Until the gateway runs, everything except health
   * and metrics answers 503.
   */
  listen(): Promise<string>;
  /**
   * Lets in by these keys from now on, and ends the streams of those that are gone or may do something else now. Beyond this
   * machine it never opens up: without any key there, the former ones stay. Called after a reload.
   */
  useKeys(keys: readonly ApiKey[]): void;
  /** Called when the files of `http.tls` may have changed: new connections get the new certificate. Never throws. */
  renewCertificate(): void;
  /** Ends streams with 1001, lets requests finish, closes. Never hangs: when the signal fires, all sockets are cut. */
  close(signal: AbortSignal): Promise<void>;
}

/**
 * Makes the API of a gateway. Nothing is opened until `listen`. Throws `ConfigInvalid` when the certificate or its key cannot be
 * used.
 */
export function createApi(options: ApiOptions): Api {
  const { gateway, http, metrics, config, alarms = async () => [] } = options;
  const certificates = http.tls && new Certificates(http.tls, options.logger);
  const app = createApp(options, certificates);
  const closing = createClosing(app, new Sockets(app.server, options.times?.stalled));
  const limits = { ...STREAM_LIMITS, ...options.stream };
  const streams = createStreams(gateway, metrics, limits, http.basePath);
  const tickets = createTickets(() => performance.now());
  const origins = http.cors?.origins ?? [];
  addErrors(app, options.logger);
  countRequests(app, metrics);
  addProxy(app, http);
  addUpgradeGuard(app);
  const gatekeeper = addAccess(app, {
    keys: http.keys,
    places: placesOf(gateway),
    origins,
    tickets,
    logger: options.logger,
  });
  addStartGuard(app, () => gateway.state === 'starting');
  addMediaTypes(app, bodyLimitOf(options));
  const refused = (): void => metrics.httpOverload.inc({});
  addLoadLimit(app, { most: options.mostWaiting ?? MOST_WAITING, refused });
  addOpenApi(app, gateway.version, http.basePath);
  addWebSocket(app, limits);
  app.decorateRequest('answerShare', undefined);
  app.register(async (scope) => {
    const needs = async (): Promise<readonly string[]> => [
      ...gatekeeper.alarms(),
      ...(certificates?.alarms() ?? []),
      ...(await alarms()),
    ];
    const deps = {
      gateway,
      metrics,
      tickets,
      config,
      alarms: needs,
      links: LINKS.map((link) => ({ ...link, href: `${http.basePath ?? ''}${link.href}` })),
    };
    addResources(scope, RESOURCES, deps, takeTurn(new AnswerBudget(options.mostAnswers)));
    addStream(scope, { streams, origins, isClosing: () => closing.begun });
  });
  return {
    app,
    listen: () => listenOn(app, http),
    useKeys: (keys) => {
      if (keys.length === 0 && !isLoopback(http.host)) return;
      gatekeeper.replace(keys);
      streams.keepOnly(gatekeeper.isCurrent);
    },
    renewCertificate: () => {
      if (app.server instanceof TlsServer) certificates?.renew(app.server);
    },
    close: (signal) => closing.close(streams.close, signal),
  };
}

/** Connections and addresses as grants are about them; both may change with a reload. */
const placesOf = (gateway: Gateway): Places => ({
  reading: (connection) => gateway.bookOf(connection),
  pattern: (address, connection) => gateway.pattern(address, connection),
  comparable: (address, connection) => {
    const scheme = gateway.bookOf(connection).scheme(address.scheme);
    return scheme?.comparable ? { scheme: address.scheme, segments: scheme.comparable(address.segments) } : address;
  },
});

/** Room for base64 and for the JSON around a body. */
const BASE64 = 1.4;
const ENVELOPE_BYTES = 64 * 1024;

/** Longest path parameter: the name of a target contains an address. */
const PARAMETER_CHARACTERS = 2048;

/** Longest time for receiving a request, ms. */
const REQUEST_MS = 30_000;
const HEADERS_MS = 10_000;

/** Fragments of one message, and reads from the socket for one frame. */
const MOST_PIECES = 1024;

const bodyLimitOf = ({ maxBodyBytes }: ApiOptions): number => Math.ceil(maxBodyBytes * BASE64) + ENVELOPE_BYTES;

function createApp(options: ApiOptions, certificates: Certificates | undefined): FastifyInstance {
  const { logger, times: { request: requestTimeout = REQUEST_MS, headers: headersTimeout = HEADERS_MS } = {} } =
    options;
  const server: ServerOptions = {
    requestTimeout,
    headersTimeout,
    keepAliveTimeout: 30_000,
    connectionsCheckingInterval: Math.min(5000, headersTimeout),
  };
  const make = (handle: RequestListener): Server =>
    certificates
      ? createTlsServer({ ...server, ...certificates.options, handshakeTimeout: headersTimeout }, handle)
      : createServer(server, handle);
  const app = Fastify({
    bodyLimit: bodyLimitOf(options),
    ...proxyOptions(options.http),
    serverFactory: (handle) => make(oneAtATime(handle)),
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
      // A frame of an app is small: however it is cut, its pieces take no more memory than it may.
      maxFragments: MOST_PIECES,
      maxBufferedChunks: MOST_PIECES,
      autoPong: false, // The session answers, as far as the app reads.
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
