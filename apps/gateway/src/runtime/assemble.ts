import { type Api, createApi } from '@magpie/api';
import { type EventLog, openLog } from '@magpie/bus';
import type { Config } from '@magpie/config';
import { type AddressBook, certificateFiles, type Logger } from '@magpie/contract';
import { createGateway, type Gateway, type SupervisorTimes } from '@magpie/core';
import type { RouteSet } from '@magpie/routing';
import { createMetrics, type Metrics } from '@magpie/telemetry';
import { BUILT_INS } from '../adapters.ts';
import { connectionMap } from '../config/compile.ts';
import { createReloader, type Loading, type Reloader } from '../reload/reloader.ts';
import { Revisions } from '../reload/revisions.ts';
import { watchFiles } from '../reload/watch.ts';
import { version } from '../version.ts';
import { createAlarms } from './alarms.ts';
import { watchDeadLetters } from './dead-letter-watch.ts';
import { measured, observe, observeGauges } from './observe.ts';
import { keepWithinLimits } from './retention.ts';

/** The parts of a gateway process. */
export interface Assembled {
  readonly gateway: Gateway;
  readonly api: Api;
  readonly metrics: Metrics;
  /** Undefined when the configuration cannot be reloaded. */
  readonly reloader: Reloader | undefined;
  /**
   * Opens the listener, then connects and starts routing; resolves to the URL of the API. Rejects with `ListenFailed` before any
   * connection is made.
   */
  start(): Promise<string>;
  /** Drains, closes the listener and the log; resolves within about `ms`. */
  stop(ms: number): Promise<void>;
}

/** Parts a test may replace. */
export interface AssembleOptions {
  readonly config: Config;
  readonly routes: RouteSet;
  readonly book: AddressBook;
  readonly logger: Logger;
  readonly onFatal: (error: Error) => void;
  readonly times?: Partial<SupervisorTimes>;
  /** Starts although files of the log are missing; the messages in them are lost. */
  readonly acceptLoss?: boolean;
  /** How to reload the configuration; without it the gateway keeps its first one. */
  readonly loading?: Loading;
}

/** Puts a gateway together. Opens the log; throws `LogLocked`, `LogRefused` or `LogFailed` when it cannot be used. */
export async function assemble(options: AssembleOptions): Promise<Assembled> {
  const { config, logger, onFatal, acceptLoss = false } = options;
  const metrics = createMetrics({ process: true });
  const { dataDir, dedupe } = config.gateway;
  const window = { windowMs: dedupe.window, count: dedupe.count };
  const revisions = new Revisions(config, options.routes, options.loading?.first.source.text ?? '');
  const stored = await openLog({ store: 'sqlite', dataDir, dedupe: window, logger, acceptLoss, onFailed: onFatal });
  const watch = watchDeadLetters({ log: stored, max: () => revisions.live.deadLetters.max, logger });
  const log = measured(stored, metrics, watch.changed);
  const keeper = keepWithinLimits(log, () => revisions.live.log, onFatal);
  const gateway = makeGateway(options, log, metrics, keeper.sweep);
  const reloader = makeReloader(options, revisions, gateway, () => {
    api.useKeys(revisions.now.config.http.keys);
    api.renewCertificate();
  });
  observeGauges(metrics, gateway, log);
  const api = createApi({
    gateway,
    http: config.http,
    maxBodyBytes: config.gateway.limits.maxBodyBytes,
    metrics,
    logger,
    config: reloader,
    alarms: createAlarms({ log, maxDeadLetters: () => revisions.live.deadLetters.max, gateway, config: reloader }),
  });
  let unwatch = (): void => undefined;
  return {
    gateway,
    api,
    metrics,
    reloader,
    start: async () => {
      const url = await api.listen();
      unwatch = watchCertificates(config, api);
      await gateway.start();
      watch.changed();
      return url;
    },
    stop: async (ms) => {
      const signal = AbortSignal.timeout(ms);
      keeper.stop();
      watch.stop();
      unwatch();
      await gateway.drain(signal);
      await api.close(signal);
      await log.close();
    },
  };
}

function makeGateway(
  { config, routes, book, logger, onFatal, times }: AssembleOptions,
  log: EventLog,
  metrics: Metrics,
  onFull: () => void,
): Gateway {
  return createGateway({
    id: config.gateway.id,
    version,
    log,
    book,
    routes,
    connections: connectionMap(config),
    builtins: BUILT_INS,
    maxBodyBytes: config.gateway.limits.maxBodyBytes,
    logger,
    observer: observe(metrics),
    onFatal,
    onFull,
    ...(times ? { times } : {}),
  });
}

const makeReloader = (
  { logger, loading }: AssembleOptions,
  revisions: Revisions,
  gateway: Gateway,
  onReload: () => void,
): Reloader | undefined =>
  loading && createReloader({ loading, revisions, gateway, builtins: BUILT_INS, logger, onReload });

/** Certificates are renewed by others, such as an ACME client: their files are watched even where the configuration is not. */
function watchCertificates({ http: { tls } }: Config, api: Api): () => void {
  if (!tls) return () => undefined;
  return watchFiles({ files: () => certificateFiles(tls), onChange: api.renewCertificate });
}
