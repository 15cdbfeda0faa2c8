import { type Address, addressToText, decodeUtf8, type OutgoingEvent, TooLarge, textToBytes } from '@magpie/contract';
import { writeBytesField, writeField, writeList, writeNumber, writeTextField } from '../wire/fields.ts';
import { BASIC, FRAME, FRAME_HEAD, PROPERTY } from '../wire/frames.ts';
import { frameHead } from '../wire/outgoing.ts';
import type { Writer } from '../wire/writer.ts';
import { queueScheme, SHORT_STRING_BYTES } from './address.ts';
import { appIdOf, impliedTime } from './compact-properties.ts';
import { writeHeaders } from './headers.ts';
import { RESERVED } from './reserved.ts';

/** Context for encoding an event. */
export interface EncodeContext {
  readonly gatewayId: string;
  /** Wall time, ms since the epoch. */
  readonly now: () => number;
  readonly persistent: boolean;
  /** Largest frame that the broker accepts. */
  readonly frameMax: number;
}

/** Longest `expiration` that RabbitMQ accepts, ms; for a longer one it closes the channel. */
const MAX_EXPIRATION = 0xffff_ffff;

/** Maximum total size of headers, bytes. */
const MOST_HEADER_BYTES = 64 * 1024;

/** Offset of the property flags in a header frame. */
const FLAGS_AT = 12;

/**
 * Writes the content header of an event: properties and headers, in the order of AMQP 0-9-1, 4.2.6.1. Pure. Throws `Rejected`
 * or `TooLarge` for headers AMQP cannot carry. Called by the outbox once per attempt.
 */
export function encode(writer: Writer, channel: number, event: OutgoingEvent, context: EncodeContext): void {
  const { id, type, contentType, contentEncoding } = event;
  const appId = appIdOf(context.gatewayId);
  frameHead(writer, FRAME.header, channel, 0);
  const from = writer.at;
  writer.uint16(BASIC);
  writer.uint16(0);
  writer.int64(event.body.byteLength);
  writer.uint16(0);
  let flags: number = PROPERTY.deliveryMode;
  if (isShort(contentType)) flags |= property(writer, PROPERTY.contentType, contentType);
  if (isShort(contentEncoding)) flags |= property(writer, PROPERTY.contentEncoding, contentEncoding);
  const correlation = correlationOf(event);
  flags |= writeTable(writer, event, correlation, context.gatewayId);
  writer.byte(context.persistent ? 2 : 1);
  if (event.priority !== undefined) {
    writer.byte(Math.min(9, Math.max(0, Math.round(event.priority))));
    flags |= PROPERTY.priority;
  }
  if (typeof correlation === 'string' && isShort(correlation)) {
    flags |= property(writer, PROPERTY.correlationId, correlation);
  }
  const queue = event.replyTo && replyQueue(event.replyTo);
  if (queue !== undefined) flags |= property(writer, PROPERTY.replyTo, queue);
  const expiration = expirationOf(event, context);
  if (expiration !== undefined) flags |= property(writer, PROPERTY.expiration, expiration);
  if (isShort(id)) flags |= property(writer, PROPERTY.messageId, id);
  const time = Math.round(event.time);
  if (Number.isSafeInteger(time) && time >= 0) {
    writer.int64(Math.floor(time / 1000));
    flags |= PROPERTY.timestamp;
  }
  if (isShort(type)) flags |= property(writer, PROPERTY.type, type);
  if (isShort(appId)) flags |= property(writer, PROPERTY.appId, appId);
  writer.putUint16(from + FLAGS_AT, flags);
  writer.close(from);
  writer.byte(FRAME.end);
  const bytes = writer.at - from + FRAME_HEAD;
  if (bytes > context.frameMax) {
    throw new TooLarge(`headers and properties that need a frame of ${bytes} bytes; the limit is ${context.frameMax}`);
  }
}

/** Writes a property. @returns its flag. */
function property(writer: Writer, flag: number, value: string): number {
  writer.shortText(value);
  return flag;
}

/** Properties are short strings; longer values go into a header. */
const isShort = (value: string | undefined): value is string =>
  value !== undefined && (value.length * 3 <= SHORT_STRING_BYTES || Buffer.byteLength(value) <= SHORT_STRING_BYTES);

/** A correlation id as text, or as bytes where it stands for bytes that are no UTF-8. */
function correlationOf({ correlationId }: OutgoingEvent): string | Uint8Array | undefined {
  if (!correlationId?.startsWith('base64:')) return correlationId;
  const bytes = textToBytes(correlationId.toWellFormed());
  return decodeUtf8(bytes) ?? bytes;
}

/** Remaining lifetime of the event, ms; undefined without a limit, or above the broker's limit. */
function expirationOf({ expiresAt }: OutgoingEvent, { now }: EncodeContext): string | undefined {
  const expiry = expiryOf(expiresAt);
  if (expiry === undefined) return undefined;
  const left = Math.max(0, expiry - Math.floor(now()));
  return left <= MAX_EXPIRATION ? String(left) : undefined;
}

function expiryOf(expiresAt: number | undefined): number | undefined {
  const expiry = Math.round(expiresAt ?? Number.NaN);
  return Number.isSafeInteger(expiry) ? expiry : undefined;
}

/**
 * Writes the header table, or none where it would be empty: RabbitMQ spends a fifth more on a message that has one.
 * @returns its flag.
 */
function writeTable(
  writer: Writer,
  event: OutgoingEvent,
  correlation: string | Uint8Array | undefined,
  gatewayId: string,
): number {
  const from = writer.open();
  if (event.headers.length > 0) writeHeaders(writer, event.headers);
  for (const field of OVERLONG) {
    const value = event[field];
    if (value !== undefined && !isShort(value)) writeText(writer, RESERVED[field], value);
  }
  writeTimes(writer, event);
  if (correlation instanceof Uint8Array) {
    writer.shortText(RESERVED.correlationId);
    writeBytesField(writer, correlation);
  } else if (correlation !== undefined && !isShort(correlation)) writeText(writer, RESERVED.correlationId, correlation);
  writeVia(writer, event, gatewayId);
  writeExtensions(writer, event);
  writer.close(from);
  const bytes = writer.at - from;
  if (bytes > MOST_HEADER_BYTES) throw new TooLarge(`headers of ${bytes} bytes, of at most ${MOST_HEADER_BYTES}`);
  if (bytes > 0) return PROPERTY.headers;
  writer.at = from - TABLE_LENGTH;
  return 0;
}

/** Bytes of the length before a table. */
const TABLE_LENGTH = 4;

const OVERLONG = ['id', 'type', 'contentType', 'contentEncoding'] as const;

function writeText(writer: Writer, name: string, value: string): void {
  writer.shortText(name);
  writeTextField(writer, value);
}

function writeTimes(writer: Writer, { id, time, expiresAt }: OutgoingEvent): void {
  const exact = Math.round(time);
  const implied = impliedTime(Math.floor(exact / 1000), isShort(id) ? id : undefined);
  if (Number.isSafeInteger(exact) && (exact < 0 || exact !== implied)) {
    writer.shortText(RESERVED.time);
    writeNumber(writer, exact);
  }
  const expiry = expiryOf(expiresAt);
  if (expiry === undefined) return;
  writer.shortText(RESERVED.expiresAt);
  writeNumber(writer, expiry);
}

/** Gateways passed; the last one is in `app-id`. */
function writeVia(writer: Writer, { via }: OutgoingEvent, gatewayId: string): void {
  if (via.length === 0 || (via.length === 1 && via[0] === gatewayId && isShort(appIdOf(gatewayId)))) return;
  writer.shortText(RESERVED.via);
  writeList(writer, via);
}

/** Fields without a property in AMQP 0-9-1. */
function writeExtensions(writer: Writer, { subject, retain, redelivered, trace, replyTo }: OutgoingEvent): void {
  if (replyTo && replyQueue(replyTo) === undefined) writeText(writer, RESERVED.replyTo, addressToText(replyTo));
  if (subject !== undefined) writeText(writer, RESERVED.subject, subject);
  if (retain === true) writeFlag(writer, RESERVED.retain);
  if (redelivered) writeFlag(writer, RESERVED.redelivered);
  if (trace === undefined) return;
  writeText(writer, RESERVED.traceparent, trace.traceparent);
  if (trace.tracestate !== undefined) writeText(writer, RESERVED.tracestate, trace.tracestate);
}

/** The queue name for the `reply-to` property, when the address is a plain queue that fits into it. */
function replyQueue({ scheme, segments }: Address): string | undefined {
  const [queue] = segments;
  if (scheme !== queueScheme.scheme || queue === undefined || queue === '' || segments.length > 1) return undefined;
  return queue.isWellFormed() && isShort(queue) ? queue : undefined;
}

function writeFlag(writer: Writer, name: string): void {
  writer.shortText(name);
  writeField(writer, true);
}
