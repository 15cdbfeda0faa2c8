/**
 * The contract every Magpie package agrees on: what an event is, what an adapter does, which errors exist.
 * An adapter author needs this package and nothing else; start reading at `adapter.ts`, then `definition.ts`.
 */
export * from './adapter/adapter.ts';
export * from './adapter/backoff.ts';
export * from './adapter/clock.ts';
export * from './adapter/definition.ts';
export * from './adapter/errors.ts';
export * from './adapter/log-fields.ts';
export * from './adapter/logger.ts';
export * from './adapter/notices.ts';
export * from './adapter/quiet.ts';
export * from './address/address.ts';
export * from './address/address-book.ts';
export * from './address/address-text.ts';
export * from './address/path-scheme.ts';
export * from './event/body.ts';
export * from './event/event.ts';
export * from './event/event-json.ts';
export * from './event/ids.ts';
export * from './event/instants.ts';
export * from './event/text-values.ts';
export * from './json/json.ts';
export * from './json/json-number.ts';
export * from './values/certificate.ts';
export * from './values/file-path.ts';
export * from './values/gathered-bytes.ts';
export * from './values/loopback.ts';
export * from './values/secret.ts';
export * from './values/text-file.ts';
export * from './values/units.ts';
