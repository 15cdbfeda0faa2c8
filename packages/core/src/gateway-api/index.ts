/** The gateway as the API and the command line see it. */
export type { EventFilter } from '@magpie/bus';
export * from './connections.ts';
export * from './dead-letters.ts';
export * from './gateway.ts';
export * from './messages.ts';
export * from './plan.ts';
export * from './targets.ts';
