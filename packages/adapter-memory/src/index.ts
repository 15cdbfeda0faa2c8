/**
 * The reference adapter: a broker in the same process. Used by tests, examples and a gateway without brokers; its README
 * walks an adapter's author through it.
 */
export { type MemoryBroker, type MemoryListener, memoryBroker } from './broker/broker.ts';
export type { MemoryMessage, MemoryProperties } from './broker/message.ts';
export type { MemoryConfig } from './config.ts';
export { memoryAdapter } from './definition.ts';
