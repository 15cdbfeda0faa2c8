import { errorMessage } from '../adapter/errors.ts';
import type { Address } from '../address/address.ts';
import type { AddressBook } from '../address/address-book.ts';
import { showBody } from './body.ts';
import type { Event, HeaderValue } from './event.ts';
import { isoInstant } from './instants.ts';

/** The one JSON form of an event: REST, WebSocket, SSE, `tail`, route tests and dead letters all show this. */
export interface EventJson {
  readonly ref: string;
  readonly id?: string;
  readonly source: string;
  /** Text form, `scheme:value`. */
  readonly address: string;
  readonly kind: string;
  readonly type?: string;
  readonly subject?: string;
  readonly key: string;
  /** RFC 3339. */
  readonly time: string;
  readonly receivedAt: string;
  readonly expiresAt?: string;
  readonly contentType?: string;
  readonly contentEncoding?: string;
  readonly payload?: unknown;
  readonly text?: string;
  readonly base64?: string;
  readonly headers: readonly (readonly [string, unknown])[];
  readonly correlationId?: string;
  readonly replyTo?: string;
  readonly priority?: number;
  readonly retain?: boolean;
  readonly redelivered?: boolean;
  readonly traceparent?: string;
  readonly tracestate?: string;
  readonly via: readonly string[];
  readonly origin: Readonly<Record<string, unknown>>;
  /** Why the event cannot be shown: then this is a placeholder for it. */
  readonly unreadable?: string;
}

/**
 * Event to its JSON form. Called per shown event, never on the delivery path. Never throws: one event that cannot be shown must
 * not keep the others from being shown, so a placeholder stands for it that says why in `unreadable`.
 */
export function eventToJson(event: Event, book: AddressBook): EventJson {
  try {
    return formOf(event, book);
  } catch (error) {
    return placeholderOf(event, book, errorMessage(error));
  }
}

/**
 * The JSON text of something about an event, made by `JSON.stringify`; of `placeholder(reason)` when its parts are none of JSON's.
 */
export function jsonTextOr(value: unknown, placeholder: (reason: string) => unknown): string {
  try {
    return JSON.stringify(value);
  } catch (error) {
    return JSON.stringify(placeholder(errorMessage(error)));
  }
}

/** The placeholder of an event that cannot be shown: its identity and the reason. */
export function placeholderOf(event: Event, book: AddressBook, reason: string): EventJson {
  const { ref, source, kind, key, time, receivedAt, address } = event;
  const times = { time: isoInstant(time), receivedAt: isoInstant(receivedAt) };
  const rest = { headers: [], via: [], origin: {}, unreadable: reason };
  return { ref, source, address: addressText(address, book), kind, key, ...times, ...rest };
}

/** The text form of an address; never throws: one that its scheme refuses shows its segments. */
export function addressText(address: Address, book: AddressBook): string {
  try {
    return book.format(address);
  } catch {
    return `${address.scheme}:${address.segments.join('/')}`;
  }
}

function formOf(event: Event, book: AddressBook): EventJson {
  const { address, replyTo, time, receivedAt, expiresAt, body, headers, trace, ...rest } = event;
  const { dedupeKey: _, dedupe: __, ...plain } = rest;
  return {
    ...plain,
    address: book.format(address),
    time: isoInstant(time),
    receivedAt: isoInstant(receivedAt),
    ...(expiresAt === undefined ? {} : { expiresAt: isoInstant(expiresAt) }),
    ...showBody(body, plain.contentType),
    headers: headers.map(([name, value]) => [name, headerValueToJson(value)] as const),
    ...(replyTo === undefined ? {} : { replyTo: book.format(replyTo) }),
    ...(trace === undefined ? {} : { ...trace }),
  };
}

/** A header value as JSON; bytes become `{ "base64": "…" }`. */
export function headerValueToJson(value: HeaderValue): unknown {
  if (value instanceof Uint8Array) return { base64: Buffer.from(value).toString('base64') };
  if (Array.isArray(value)) return value.map(headerValueToJson);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, headerValueToJson(inner)]));
}
