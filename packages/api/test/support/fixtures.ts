import { createHash } from 'node:crypto';
import { type MemoryBroker, memoryAdapter, memoryBroker } from '@magpie/adapter-memory';
import { createMemoryLog, type EventLog } from '@magpie/bus';
import { createAddressBook, newRef, nullLogger } from '@magpie/contract';
import { createGateway, type Gateway, nullObserver } from '@magpie/core';
import { type ConnectionInfo, compileRoutes } from '@magpie/routing';
import { createMetrics } from '@magpie/telemetry';
import { waitFor } from '@magpie/testkit';
import { onTestFinished } from 'vitest';
import type { ApiKey } from '../../src/http/access/auth.ts';
import { type Api, type ApiOptions, createApi, type HttpOptions, httpAdapter } from '../../src/index.ts';

/** A key for tests, with its hash as it would be configured. */
export const SECRET = 'test-key-of-the-app';
export const hashOf = (secret: string): string => createHash('sha256').update(secret).digest('hex');
export const KEYS: readonly ApiKey[] = [{ id: 'app', hash: hashOf(SECRET), roles: ['admin'], grants: [] }];
export const BEARER = { authorization: `Bearer ${SECRET}` };

/** A running gateway between the API and an in-memory broker named like its connection `floor`. */
export interface World {
  readonly api: Api;
  readonly gateway: Gateway;
  readonly log: EventLog;
  readonly broker: MemoryBroker;
  /** Opens the port. */
  listen(): Promise<string>;
}

interface WorldOptions
  extends Partial<
    Pick<
      ApiOptions,
      'stream' | 'times' | 'mostWaiting' | 'mostAnswers' | 'maxBodyBytes' | 'logger' | 'config' | 'alarms'
    >
  > {
  /** Routes instead of the one to the board. */
  readonly routes?: Record<string, unknown>;
  readonly http?: Partial<HttpOptions>;
  /** A log that behaves in its own way. */
  readonly wrapLog?: (log: EventLog) => EventLog;
  /** A second connection to the same broker. */
  readonly second?: string;
  /** Leaves the gateway as it is before its start. */
  readonly unstarted?: true;
}

const ROUTES = {
  notices: {
    from: { connection: 'http', topic: 'notices/#' },
    to: [{ connection: 'floor', channel: 'board/notices' }],
  },
};

/** Starts one; it ends with the test. */
export async function startWorld({
  http,
  routes = ROUTES,
  wrapLog = (log) => log,
  unstarted,
  second,
  ...options
}: WorldOptions = {}): Promise<World> {
  const name = newRef();
  const log = wrapLog(createMemoryLog());
  const { maxBodyBytes = 64 * 1024, logger = nullLogger } = options;
  const gateway = makeGateway(name, log, maxBodyBytes, routes, second ? ['floor', second] : ['floor']);
  const listening = { host: '127.0.0.1', port: 0, keys: [], ...http };
  const api = createApi({ gateway, http: listening, metrics: createMetrics(), ...options, maxBodyBytes, logger });
  if (!unstarted) {
    await gateway.start();
    await waitFor(() => gateway.connections().every(({ state }) => state === 'up'), { what: 'the connections' });
  }
  onTestFinished(async () => {
    await gateway.drain(AbortSignal.timeout(500));
    await api.close(AbortSignal.abort());
  });
  return { api, gateway, log, broker: memoryBroker(name), listen: api.listen };
}

function makeGateway(
  broker: string,
  log: EventLog,
  maxBodyBytes: number,
  wanted: Record<string, unknown>,
  names: readonly string[],
): Gateway {
  const adapters = [memoryAdapter, httpAdapter];
  const book = createAddressBook(adapters);
  const connections = new Map<string, ConnectionInfo>([
    ['http', { name: 'http', adapter: httpAdapter, config: {}, subscribe: [] }],
    ...names.map((name): [string, ConnectionInfo] => [
      name,
      {
        name,
        adapter: memoryAdapter,
        config: memoryAdapter.connectionSchema.parse({ broker }),
        subscribe: [{ channel: 'plant/#' }],
      },
    ]),
  ]);
  const { routes, problems } = compileRoutes({ routes: wanted, connections, gatewayId: 'test', book });
  if (problems.some(({ severity }) => severity === 'error')) throw new Error(JSON.stringify(problems));
  const onFatal = (error: Error): void => {
    throw error;
  };
  return createGateway({
    id: 'test',
    version: '1.2.3',
    log,
    book,
    routes,
    connections,
    builtins: new Set(['http']),
    maxBodyBytes,
    logger: nullLogger,
    observer: nullObserver,
    onFatal,
  });
}

/** Posts a message by inject. */
export const post = ({ api }: World, payload: object | string, headers: Record<string, string> = {}) =>
  api.app.inject({
    method: 'POST',
    url: '/v1/messages',
    headers: { 'content-type': 'application/json', ...headers },
    payload,
  });

/** Reads a path by inject. */
export const get = ({ api }: World, url: string, headers: Record<string, string> = {}) =>
  api.app.inject({ method: 'GET', url, headers });
