import type { AddressBook } from './address-book.ts';
import { showBody } from './body.ts';
import type { Event, HeaderValue } from './event.ts';

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
}

/** Event to its JSON form. Called per shown event, never on the delivery path. */
export function eventToJson(event: Event, book: AddressBook): EventJson {
  const { address, replyTo, time, receivedAt, expiresAt, body, headers, trace, ...rest } = event;
  const { dedupeKey: _, dedupe: __, ...plain } = rest;
  const iso = (ms: number): string => new Date(ms).toISOString();
  return {
    ...plain,
    address: book.format(address),
    time: iso(time),
    receivedAt: iso(receivedAt),
    ...(expiresAt === undefined ? {} : { expiresAt: iso(expiresAt) }),
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
