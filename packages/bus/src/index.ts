/** The durable event log: its contract, the SQLite store and the memory store. */
export * from './contract.ts';
