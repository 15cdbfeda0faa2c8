/**
 * What adapters have in common below the protocol, so that it behaves the same in all of them. An adapter may use it or do
 * without; nothing above the adapters knows it, except the API, which is the adapter of HTTP.
 */
export * from './cancel.ts';
export * from './cursor.ts';
export * from './mapping.ts';
export * from './notices.ts';
export * from './sink-batches.ts';
export * from './tls.ts';
export * from './trace.ts';
export * from './turn-writer.ts';
export * from './via.ts';
