import { decodeUtf8, type OutgoingEvent, textToBytes } from '@magpie/contract';
import type { Options } from 'amqplib';
import { SHORT_STRING_BYTES } from './address.ts';
import { emptyTable, type Table, writeHeaders } from './headers.ts';
import { formatReplyTo, replyQueue } from './reply-to.ts';
import { RESERVED } from './reserved.ts';

/** What the codec must know besides the event. */
export interface EncodeContext {
  readonly gatewayId: string;
  /** Wall time, ms since the epoch. */
  readonly now: number;
  readonly persistent: boolean;
  readonly mandatory: boolean;
  /** Names this send, so that a returned message finds it. */
  readonly send: string;
}

/** Longest `expiration` that RabbitMQ takes, ms; beyond it closes the channel. */
const MAX_EXPIRATION = 0xffff_ffff;

/**
 * Properties and headers for publishing an event. Pure. Throws `Rejected` or `TooLarge` for headers AMQP cannot carry.
 * Called by the publisher once per attempt.
 */
export function encode(event: OutgoingEvent, context: EncodeContext): Options.Publish {
  const headers = emptyTable();
  writeHeaders(headers, event.headers);
  const properties: Options.Publish = {
    headers,
    persistent: context.persistent,
    mandatory: context.mandatory,
    appId: context.gatewayId,
  };
  headers[RESERVED.send] = context.send;
  writeShortStrings(properties, headers, event);
  writeTimes(properties, headers, event, context.now);
  writeReply(properties, headers, event);
  writeExtensions(headers, event);
  if (event.priority !== undefined) properties.priority = Math.min(9, Math.max(0, Math.round(event.priority)));
  return properties;
}

const SHORT_STRINGS = [
  ['messageId', 'id'],
  ['type', 'type'],
  ['contentType', 'contentType'],
  ['contentEncoding', 'contentEncoding'],
] as const;

/** Properties are short strings; what is longer goes into a header. */
function writeShortStrings(properties: Options.Publish, headers: Table, event: OutgoingEvent): void {
  for (const [property, field] of SHORT_STRINGS) {
    const value = event[field]?.toWellFormed();
    if (value === undefined) continue;
    if (isShort(value)) properties[property] = value;
    else headers[RESERVED[field]] = value;
  }
}

const isShort = (value: string): boolean =>
  value.length * 3 <= SHORT_STRING_BYTES || Buffer.byteLength(value) <= SHORT_STRING_BYTES;

function writeTimes(
  properties: Options.Publish,
  headers: Table,
  { time, expiresAt }: OutgoingEvent,
  now: number,
): void {
  const exact = Math.round(time);
  if (Number.isSafeInteger(exact)) {
    if (exact >= 0) properties.timestamp = Math.floor(exact / 1000);
    if (exact < 0 || exact % 1000 !== 0) headers[RESERVED.time] = exact;
  }
  const expiry = Math.round(expiresAt ?? Number.NaN);
  if (!Number.isSafeInteger(expiry)) return;
  const left = Math.max(0, expiry - Math.floor(now));
  if (left <= MAX_EXPIRATION) properties.expiration = String(left);
  headers[RESERVED.expiresAt] = expiry;
}

function writeReply(properties: Options.Publish, headers: Table, { correlationId, replyTo }: OutgoingEvent): void {
  if (correlationId !== undefined) {
    const bytes = textToBytes(correlationId.toWellFormed());
    const text = decodeUtf8(bytes);
    if (text !== undefined && bytes.byteLength <= SHORT_STRING_BYTES) properties.correlationId = text;
    else headers[RESERVED.correlationId] = text ?? Buffer.from(bytes);
  }
  if (replyTo === undefined) return;
  const queue = replyQueue(replyTo);
  if (queue === undefined) headers[RESERVED.replyTo] = formatReplyTo(replyTo);
  else properties.replyTo = queue;
}

/** What has no property in AMQP 0-9-1. */
function writeExtensions(headers: Table, { via, subject, retain, redelivered, trace }: OutgoingEvent): void {
  if (via.length > 0) headers[RESERVED.via] = via.map((id) => id.toWellFormed());
  if (subject !== undefined) headers[RESERVED.subject] = subject.toWellFormed();
  if (retain === true) headers[RESERVED.retain] = true;
  if (redelivered) headers[RESERVED.redelivered] = true;
  if (trace === undefined) return;
  headers[RESERVED.traceparent] = trace.traceparent;
  if (trace.tracestate !== undefined) headers[RESERVED.tracestate] = trace.tracestate;
}
