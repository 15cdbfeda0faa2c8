/** The durable event log: its contract, the SQLite store and the memory store. */
export * from './contract.ts';
export { createMemoryLog } from './memory/log.ts';
export { matchesFilter } from './shared/event-filter.ts';
export type { DedupeWindow, LogOptions, SqliteLogOptions } from './shared/options.ts';
export { openSqliteLog } from './sqlite/open.ts';
