import { isUtf8 } from 'node:buffer';
import {
  addressToText,
  type Header,
  type HeaderValue,
  headerValueToJson,
  isJsonType,
  type OutgoingEvent,
  Rejected,
  type TargetRequest,
  TooLarge,
  textToBytes,
} from '@magpie/contract';
import type { OutboundPacket } from '../wire/outgoing.ts';
import { MAX_FIELD_BYTES, PropertyWriter } from '../wire/property-writer.ts';
import { varintSize } from '../wire/requests.ts';
import { topicAddress } from './address.ts';
import { isoTime } from './iso-time.ts';
import { PROPERTY, RESERVED } from './mapping.ts';
import { createMemo } from './memo.ts';

const MAX_EXPIRY_SECONDS = 0xffff_ffff;

const writer = new PropertyWriter((what, bytes) => {
  throw new TooLarge(`${what} has ${bytes} bytes, MQTT carries at most ${MAX_FIELD_BYTES} in one property`);
});

/**
 * An event as a PUBLISH. Pure. Called once per attempt.
 * @throws Rejected when the address is no topic; TooLarge when a property has more than 65,535 bytes.
 */
export function encode(event: OutgoingEvent, target: TargetRequest, version: 5 | 3, now: number): OutboundPacket {
  const { qos, retain } = optionsOf(target.options);
  const topic = topicOf(target);
  const isKept = retain ?? event.retain ?? false;
  if (version === 3) return { topic, payload: event.body, qos, retain: isKept };
  return { topic, payload: event.body, qos, retain: isKept, properties: propertiesOf(event, now) };
}

/** Options are already parsed by the target schema; they are read by hand because this runs for every message. */
function optionsOf(options: unknown): { qos: 0 | 1 | 2; retain: boolean | undefined } {
  if (typeof options !== 'object' || options === null) return { qos: 1, retain: undefined };
  const qos = 'qos' in options ? options.qos : 1;
  const retain = 'retain' in options ? options.retain : undefined;
  return { qos: qos === 0 || qos === 2 ? qos : 1, retain: typeof retain === 'boolean' ? retain : undefined };
}

/** Whether the broker does not confirm messages to this target (QoS 0). */
export const isUnconfirmed = ({ options }: TargetRequest): boolean => optionsOf(options).qos === 0;

/** Checks a topic as a whole; levels that contain a separator show in their number. */
const judgement = createMemo((topic: string) => {
  const segments = topic.split('/');
  return { levels: segments.length, problem: topicAddress.check(segments) };
});

function topicOf({ address }: TargetRequest): string {
  const { scheme, segments } = address;
  if (scheme !== topicAddress.scheme) {
    throw wrongAddress(address, `an address of the scheme "${scheme}", expected "topic"`);
  }
  const topic = topicAddress.format(segments);
  const { levels, problem } = judgement(topic);
  if (problem === undefined && levels === segments.length) return topic;
  throw wrongAddress(address, topicAddress.check(segments) ?? 'an empty topic');
}

const wrongAddress = (address: TargetRequest['address'], problem: string): Rejected =>
  new Rejected(`cannot publish to ${addressToText(address)}: ${problem}`);

function propertiesOf(event: OutgoingEvent, now: number): Buffer {
  const { contentType, correlationId, expiresAt, replyTo } = event;
  writer.begin();
  if (contentType !== undefined) {
    if (isTextType(contentType) && isUtf8(event.body)) writer.byte(0x01, 1);
    writer.text(0x03, 'the content type', contentType);
  }
  if (expiresAt !== undefined) writer.uint32(0x02, secondsUntil(expiresAt, now));
  if (correlationId !== undefined) writer.binary(0x09, 'the correlation id', textToBytes(correlationId));
  const respond = replyTo?.scheme === topicAddress.scheme && topicAddress.check(replyTo.segments) === undefined;
  if (replyTo && respond) writer.text(0x08, 'the reply topic', topicAddress.format(replyTo.segments));
  // A header must not pass for a reserved one.
  for (const [name, value] of event.headers) if (!RESERVED.has(name)) writeHeader(name, value);
  writeReserved(event, replyTo && !respond ? addressToText(replyTo) : undefined);
  return writer.finish();
}

/** The payload format indicator promises UTF-8; the broker may check it [MQTT-3.3.2-4]. */
const isTextType = createMemo((contentType) => /^text\//i.test(contentType) || isJsonType(contentType));

const secondsUntil = (expiresAt: number, now: number): number =>
  Math.min(MAX_EXPIRY_SECONDS, Math.max(1, Math.ceil((expiresAt - now) / 1000)));

function writeReserved(event: OutgoingEvent, replyTo: string | undefined): void {
  const { type, subject, contentEncoding, priority, trace } = event;
  writer.pair(PROPERTY.id, event.id);
  if (type !== undefined) writer.pair(PROPERTY.type, type);
  if (subject !== undefined) writer.pair(PROPERTY.subject, subject);
  if (contentEncoding !== undefined) writer.pair(PROPERTY.contentEncoding, contentEncoding);
  if (priority !== undefined) writer.pair(PROPERTY.priority, String(priority));
  const time = isoTime(event.time);
  if (time !== undefined) writer.pair(PROPERTY.time, time);
  if (replyTo !== undefined) writer.pair(PROPERTY.replyTo, replyTo);
  if (trace) {
    writer.pair(PROPERTY.traceparent, trace.traceparent);
    if (trace.tracestate !== undefined) writer.pair(PROPERTY.tracestate, trace.tracestate);
  }
  if (event.redelivered) writer.pair(PROPERTY.redelivered, 'true');
  for (const id of event.via) writer.pair(PROPERTY.via, id);
}

/** A header value as text: scalars as they print, bytes as `base64:…`, lists and records as JSON. */
function writeHeader(name: string, value: HeaderValue): void {
  if (typeof value === 'string') writer.pair(name, value);
  else if (value instanceof Uint8Array) writer.bytesPair(name, value);
  else writer.pair(name, isScalar(value) ? String(value) : JSON.stringify(headerValueToJson(value)));
}

const isScalar = (value: Header[1]): value is number | boolean | null => value === null || typeof value !== 'object';

/** Bytes of a PUBLISH on the wire, to respect the broker's Maximum Packet Size [MQTT-3.2.2-15]. */
export function packetBytes({ topic, payload, qos, properties }: OutboundPacket): number {
  const body = 2 + Buffer.byteLength(topic) + (qos > 0 ? 2 : 0) + payload.length;
  const remaining = body + (properties ? varintSize(properties.length) + properties.length : 0);
  return 1 + varintSize(remaining) + remaining;
}
