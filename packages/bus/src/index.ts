/** The durable event log: its contract, and the stores that implement it. */
export * from './contract/index.ts';
export { createMemoryLog } from './memory/log.ts';
export type { DedupeWindow } from './shared/dedupe-window.ts';
export { matchesFilter } from './shared/event-filter.ts';
export type { LogClock, LogOptions, SqliteLogOptions } from './shared/log-options.ts';
export { type LogStore, openLog, STORE_NAMES, STORES, type StoreName, type StoreOptions } from './stores.ts';
