/**
 * Code that adapters share below the protocol, so that it behaves the same in all of them. Its use is optional; nothing
 * above the adapters uses it, except the API, which is the adapter for HTTP.
 */
export * from './cancel.ts';
export * from './cursor.ts';
export * from './fetch/file-fetcher.ts';
export * from './mapping.ts';
export * from './notices.ts';
export * from './sink-batches.ts';
export * from './tls.ts';
export * from './trace.ts';
export * from './turn-writer.ts';
export * from './via.ts';
