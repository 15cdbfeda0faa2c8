import { type Api, createApi } from '@magpie/api';
import { openSqliteLog } from '@magpie/bus';
import type { Config } from '@magpie/config';
import type { AddressBook, Logger } from '@magpie/contract';
import { createGateway, type Gateway, type SupervisorTimes } from '@magpie/core';
import type { RouteSet } from '@magpie/routing';
import { createMetrics, type Metrics } from '@magpie/telemetry';
import { connectionMap } from './compile.ts';
import { measured, observe, observeGauges } from './observe.ts';
import { keepWithinLimits } from './retention.ts';
import { version } from './version.ts';

/** What a gateway process is made of. */
export interface Assembled {
  readonly gateway: Gateway;
  readonly api: Api;
  readonly metrics: Metrics;
  /** Opens the listener and starts routing; resolves to the URL of the API. */
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
}

/** Names of connections without a link of their own. */
const BUILTINS: ReadonlySet<string> = new Set(['http']);

/** Puts a gateway together. Opens the log; throws `LogLocked` or `LogFailed` when it cannot be used. */
export async function assemble(options: AssembleOptions): Promise<Assembled> {
  const { config, routes, book, logger, onFatal } = options;
  const metrics = createMetrics({ process: true });
  const { dataDir, dedupe, log: retention } = config.gateway;
  const window = { windowMs: dedupe.window, count: dedupe.count };
  const log = measured(await openSqliteLog({ dataDir, dedupe: window, logger }), metrics);
  const keeper = keepWithinLimits(log, retention, onFatal);
  const gateway = createGateway({
    id: config.gateway.id,
    version,
    log,
    book,
    routes,
    connections: connectionMap(config),
    builtins: BUILTINS,
    maxBodyBytes: config.gateway.limits.maxBodyBytes,
    logger,
    observer: observe(metrics),
    onFatal,
    onFull: keeper.sweep,
    ...(options.times ? { times: options.times } : {}),
  });
  observeGauges(metrics, gateway);
  const { maxBodyBytes } = config.gateway.limits;
  const api = createApi({ gateway, http: config.http, maxBodyBytes, metrics, logger });
  return {
    gateway,
    api,
    metrics,
    start: async () => {
      await gateway.start();
      return api.listen();
    },
    stop: async (ms) => {
      const signal = AbortSignal.timeout(ms);
      keeper.stop();
      await gateway.drain(signal);
      await api.close(signal);
      await log.close();
    },
  };
}
