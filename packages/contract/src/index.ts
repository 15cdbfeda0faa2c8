/**
 * The contract every Magpie package agrees on: what an event is, what an adapter does, which errors exist.
 * An adapter author needs this package and nothing else; start reading at `adapter.ts`.
 */
export * from './adapter.ts';
export * from './address.ts';
export * from './address-book.ts';
export * from './address-text.ts';
export * from './backoff.ts';
export * from './body.ts';
export * from './clock.ts';
export * from './errors.ts';
export * from './event.ts';
export * from './event-json.ts';
export * from './file-path.ts';
export * from './ids.ts';
export * from './instants.ts';
export * from './json.ts';
export * from './json-number.ts';
export * from './log-fields.ts';
export * from './logger.ts';
export * from './loopback.ts';
export * from './notices.ts';
export * from './path-scheme.ts';
export * from './secret.ts';
export * from './text-values.ts';
export * from './units.ts';
