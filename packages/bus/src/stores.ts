import type { EventLog } from './contract/index.ts';
import { createMemoryLog } from './memory/log.ts';
import type { SqliteLogOptions } from './shared/log-options.ts';
import { openSqliteLog } from './sqlite/open.ts';

/** What any store is opened with; it ignores what it has no use for. */
export type StoreOptions = SqliteLogOptions;

/** A way to keep the event log. */
export interface LogStore {
  /** For the reference of the configuration, a sentence without its full stop. */
  readonly summary: string;
  /** Whether what is acknowledged outlives the process. */
  readonly isDurable: boolean;
  /** Opens the log. Rejects with `LogLocked`, `LogRefused` or `LogFailed`. */
  open(options: StoreOptions): Promise<EventLog>;
}

/** Every store by its name. A new store is one more entry; the gateway names the one it opens in `runtime/assemble.ts`. */
export const STORES = {
  sqlite: {
    summary: 'a file in `dataDir`, every commit fsynced before it is acknowledged; one process',
    isDurable: true,
    open: openSqliteLog,
  },
  memory: {
    summary: 'nothing outlives the process, whatever has been acknowledged; for trials',
    isDurable: false,
    open: async (options) => createMemoryLog(options),
  },
} as const satisfies Record<string, LogStore>;

/** Name of a store. */
export type StoreName = keyof typeof STORES;

/** The names of all stores, the default first. */
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the keys of a constant
export const STORE_NAMES = Object.keys(STORES) as [StoreName, ...StoreName[]];

/** Opens the event log in a store. Called once per process, by the composition root. */
export const openLog = ({ store, ...options }: StoreOptions & { readonly store: StoreName }): Promise<EventLog> =>
  STORES[store].open(options);
