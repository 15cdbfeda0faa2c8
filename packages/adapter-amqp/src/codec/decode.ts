import { isTraceparent, traceOf, viaOf } from '@magpie/adapter-kit';
import { bytesToText, type Header, type Origin, type ReceivedEvent, textToAddress } from '@magpie/contract';
import type { ConsumeMessage, MessageProperties } from 'amqplib';
import type { Table } from '../wire/table.ts';
import { queueScheme, queueSegments } from './address.ts';
import { gatewayOf, impliedTime } from './compact-properties.ts';
import { fromField } from './headers.ts';
import { isReserved, RESERVED } from './reserved.ts';

/** Context for decoding a message. */
export interface DecodeContext {
  readonly queue: string;
  /** Wall time, ms since the epoch. */
  readonly now: number;
  /** Whether the sender never uses a message-id twice. */
  readonly uniqueIds: boolean;
}

type Draft = { -readonly [K in keyof ReceivedEvent]: ReceivedEvent[K] };

/** Largest time a `Date` can show, ms. */
const MAX_TIME = 8.64e15;
const NO_HEADERS: Table = Object.freeze(Object.create(null));

/**
 * A consumed message as an event. Pure and total: a malformed property is left out, never an error. Called by the
 * consumer once per message.
 */
export function decode(message: ConsumeMessage, context: DecodeContext): ReceivedEvent {
  const { fields, properties, content } = message;
  const table: Table = properties.headers ?? NO_HEADERS;
  const event: Draft = {
    kind: 'message',
    address: { scheme: 'queue', segments: queueSegments(context.queue, fields.exchange, fields.routingKey) },
    body: content,
    headers: readHeaders(table),
    via: readVia(table[RESERVED.via], properties.appId),
    origin: readOrigin(message, context.queue),
  };
  readProperties(event, properties, table);
  readTime(event, table[RESERVED.time], properties);
  readLifetime(event, properties, table, context.now);
  const trace = traceOf(table[RESERVED.traceparent], table[RESERVED.tracestate]);
  if (trace) event.trace = trace;
  readIdentity(event, fields.redelivered === true || table[RESERVED.redelivered] === true, context);
  return event;
}

function readHeaders(table: Table): Header[] {
  const headers: Header[] = [];
  for (const name of Object.keys(table)) if (!isOurs(name, table[name])) headers.push([name, fromField(table[name])]);
  return headers;
}

/** A header with one of our names but a foreign value stays a header, so that people can see it. */
function isOurs(name: string, value: unknown): boolean {
  if (name === RESERVED.traceparent) return isTraceparent(value);
  if (name === RESERVED.replyTo) return textToAddress(value) !== undefined;
  if (name === RESERVED.correlationId) return typeof value === 'string' || value instanceof Uint8Array;
  return isReserved(name);
}

/** The list of gateways; without one, the gateway that published the message. */
const readVia = (value: unknown, appId: unknown): readonly string[] =>
  viaOf(Array.isArray(value) ? value : [gatewayOf(appId)]);

const text = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);

const isTime = (value: unknown): value is number => Number.isInteger(value) && Math.abs(Number(value)) <= MAX_TIME;

/** The exact time if it agrees with the property, which others may have changed; otherwise the property. */
function readTime(event: Draft, exact: unknown, { timestamp, messageId }: MessageProperties): void {
  const seconds = isTime(timestamp) && Math.abs(timestamp) <= MAX_TIME / 1000 ? timestamp : undefined;
  if (isTime(exact) && (seconds === undefined || Math.floor(exact / 1000) === seconds)) event.time = exact;
  else if (seconds !== undefined) event.time = impliedTime(seconds, text(messageId));
}

function readProperties(event: Draft, properties: MessageProperties, table: Table): void {
  const id = text(properties.messageId) ?? text(table[RESERVED.id]);
  const type = text(properties.type) ?? text(table[RESERVED.type]);
  const contentType = text(properties.contentType) ?? text(table[RESERVED.contentType]);
  const contentEncoding = text(properties.contentEncoding) ?? text(table[RESERVED.contentEncoding]);
  const subject = text(table[RESERVED.subject]);
  if (id !== undefined) event.id = id;
  if (type !== undefined) event.type = type;
  if (contentType !== undefined) event.contentType = contentType;
  if (contentEncoding !== undefined) event.contentEncoding = contentEncoding;
  if (subject !== undefined) event.subject = subject;
  if (Number.isInteger(properties.priority)) event.priority = Math.min(9, Math.max(0, properties.priority));
  if (table[RESERVED.retain] === true) event.retain = true;
  readReply(event, properties, table);
}

function readReply(event: Draft, properties: MessageProperties, table: Table): void {
  const correlationId = text(properties.correlationId) ?? table[RESERVED.correlationId];
  if (correlationId instanceof Uint8Array) event.correlationId = bytesToText(correlationId);
  else if (typeof correlationId === 'string') event.correlationId = markedText(correlationId);
  const queue = text(properties.replyTo);
  const replyTo =
    queue === undefined ? textToAddress(table[RESERVED.replyTo]) : { scheme: queueScheme.scheme, segments: [queue] };
  if (replyTo) event.replyTo = replyTo;
}

/** A text that looks like our marker for bytes is escaped, see `bytesToText`. */
const markedText = (value: string): string => (value.startsWith('base64:') ? bytesToText(Buffer.from(value)) : value);

/** The broker does not shorten `expiration` while a message waits: without our header it counts from now. */
function readLifetime(event: Draft, properties: MessageProperties, table: Table, now: number): void {
  const exact = table[RESERVED.expiresAt];
  const expiration = text(properties.expiration);
  if (isTime(exact)) event.expiresAt = exact;
  else if (expiration !== undefined && /^\d{1,15}$/.test(expiration)) event.expiresAt = now + Number(expiration);
}

function readIdentity(event: Draft, redelivered: boolean, { queue, uniqueIds }: DecodeContext): void {
  if (redelivered) event.redelivered = true;
  if (event.id === undefined) return;
  event.dedupeKey = `${queueScheme.format([queue])}/${event.id}`;
  if (!uniqueIds) event.dedupe = 'redelivered';
}

/** Protocol facts as they came; see `originSchema`. */
function readOrigin({ fields, properties }: ConsumeMessage, queue: string): Origin {
  const { exchange, routingKey, redelivered, deliveryTag, consumerTag } = fields;
  const origin: Record<string, unknown> = { queue, exchange, routingKey, redelivered, deliveryTag, consumerTag };
  for (const name of ['appId', 'userId', 'clusterId', 'deliveryMode', 'priority', 'expiration'] as const) {
    const value: unknown = properties[name];
    if (value !== undefined && value !== null) origin[name] = value;
  }
  return origin;
}
