import { memoryAdapter } from '@magpie/adapter-memory';
import { type AnyAdapter, createAddressBook } from '@magpie/contract';
import { type ConnectionInfo, compileRoutes } from '@magpie/routing';
import type { Plan } from '../../src/index.ts';

/** The targets, one connection each. */
export const TARGETS = ['a', 'b'] as const;
export type TargetName = (typeof TARGETS)[number];

/** What a reload may change of a target. */
export interface TargetConfig {
  readonly order: 'key' | 'strict' | 'none';
  readonly then: 'dead-letter' | 'drop' | 'block';
  readonly attempts: number;
  readonly maxAge: number;
  readonly onFull: 'block' | 'dead-letter' | 'drop';
  readonly backlogBytes: number;
  readonly start: 'now' | 'earliest';
  readonly window: number;
}

/** What is configured; a target that is undefined is not. */
export type Wanted = Readonly<Record<TargetName, TargetConfig | undefined>>;

export const book = createAddressBook([memoryAdapter]);

/** Longest wait between two attempts of a delivery. */
const BACKOFF = { min: '100ms', max: '1s' };

/** The name of a target in the log. */
export const consumerOf = (name: TargetName): string => `${name}/t`;

function routeTo(name: TargetName, config: TargetConfig): object {
  const { order, then, attempts, maxAge, onFull, backlogBytes, start } = config;
  return {
    from: { connection: 'left', channel: 'in/{key}' },
    order,
    retry: { attempts, backoff: BACKOFF, maxAge: `${maxAge}ms`, then },
    to: {
      id: 't',
      connection: name,
      channel: `${name}/\${key}`,
      start,
      backlog: { bytes: `${backlogBytes}B`, onFull },
    },
  };
}

const known = new Map<string, ReturnType<typeof compileRoutes>['routes']>();

/** Compiles what is wanted for an adapter. Throws when it does not compile. */
export function planFor(wanted: Wanted, adapter: AnyAdapter): Plan {
  const connect = (name: string, fifoWindow = 8): [string, ConnectionInfo] => [
    name,
    { name, adapter, config: adapter.connectionSchema.parse({ broker: name, fifoWindow }), subscribe: [] },
  ];
  const connections = new Map([connect('left'), ...TARGETS.map((name) => connect(name, wanted[name]?.window))]);
  const routes = Object.fromEntries(
    TARGETS.flatMap((name) => {
      const config = wanted[name];
      return config ? [[name, routeTo(name, config)]] : [];
    }),
  );
  const id = JSON.stringify(routes);
  let compiled = known.get(id);
  if (!compiled) {
    const result = compileRoutes({ routes, connections, gatewayId: 'model', book });
    const errors = result.problems.filter(({ severity }) => severity === 'error');
    if (errors.length > 0) throw new Error(JSON.stringify(errors, null, 2));
    compiled = result.routes;
    known.set(id, compiled);
  }
  return { routes: compiled, connections };
}
