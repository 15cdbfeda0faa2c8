import { memoryAdapter, memoryBroker } from '@magpie/adapter-memory';
import { createMemoryLog, type EventLog } from '@magpie/bus';
import { type AnyAdapter, createAddressBook, type Logger, nullLogger } from '@magpie/contract';
import { type ConnectionInfo, compileRoutes } from '@magpie/routing';
import { onTestFinished } from 'vitest';
import { createGateway, type Gateway, nullObserver, type Plan, type ReloadReport } from '../../src/index.ts';

export interface TestGateway {
  readonly gateway: Gateway;
  /** Reloads with other routes, and `right` with other keys when given. */
  reload(routes: Record<string, unknown>, right?: Record<string, unknown>): Promise<ReloadReport>;
  readonly log: EventLog;
}

let brokers = 0;

/** Names of two fresh in-memory brokers, emptied when the test ends. */
export function freshBrokers(): { readonly left: string; readonly right: string } {
  const names = { left: `left-${++brokers}`, right: `right-${brokers}` };
  onTestFinished(() => {
    memoryBroker(names.left).reset();
    memoryBroker(names.right).reset();
  });
  return names;
}

/** A gateway with the connections `left` and `right` to two in-memory brokers; drained when the test ends. */
export async function startGateway(
  names: { readonly left: string; readonly right: string },
  routes: Record<string, unknown>,
  log: EventLog = createMemoryLog({}),
  both: Record<string, unknown> = {},
  adapter: AnyAdapter = memoryAdapter,
  logger: Logger = nullLogger,
): Promise<TestGateway> {
  const book = createAddressBook([adapter]);
  const plan = (wanted: Record<string, unknown>, right: Record<string, unknown> = {}): Plan => {
    const connect = (name: 'left' | 'right', keys: object): [string, ConnectionInfo] => [
      name,
      {
        name,
        adapter,
        config: adapter.connectionSchema.parse({ broker: names[name], ...both, ...keys }),
        subscribe: [],
      },
    ];
    const connections = new Map([connect('left', {}), connect('right', right)]);
    const compiled = compileRoutes({ routes: wanted, connections, gatewayId: 'test', book });
    const errors = compiled.problems.filter(({ severity }) => severity === 'error');
    if (errors.length > 0) throw new Error(JSON.stringify(errors, null, 2));
    return { routes: compiled.routes, connections };
  };
  const gateway = createGateway({
    id: 'test',
    version: '0',
    log,
    book,
    ...plan(routes),
    builtins: new Set(),
    maxBodyBytes: 1024 * 1024,
    logger,
    observer: nullObserver,
    times: { probeInterval: 50, probeTimeout: 200 },
    onFatal: (error) => {
      throw error;
    },
  });
  onTestFinished(() => gateway.drain(AbortSignal.timeout(1000)));
  await gateway.start();
  return { gateway, log, reload: (wanted, right) => gateway.reload(plan(wanted, right)) };
}

/** One route from `left` to `right`. */
export const bridge = {
  bridge: { from: { connection: 'left', channel: 'in/{name}' }, to: { connection: 'right', channel: 'out/${name}' } },
};

/** Texts that reached channels with this prefix. */
export const bodies = (broker: string, prefix: string): string[] =>
  memoryBroker(broker)
    .seen.filter(({ channel }) => channel.startsWith(prefix))
    .map(({ body }) => Buffer.from(body).toString());

export const numbered = (count: number): string[] => Array.from({ length: count }, (_, index) => `${index}`);

/** Publishes texts to `in/a`. */
export const publishAll = (broker: string, texts: readonly string[]): void => {
  for (const text of texts) memoryBroker(broker).publish('in/a', { body: Buffer.from(text) });
};
