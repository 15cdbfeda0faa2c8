import { traceOf, viaOf } from '@magpie/adapter-kit';
import { type Address, bytesToText, type Header, type ReceivedEvent, textToAddress } from '@magpie/contract';
import type { InboundPacket } from '../wire/packets.ts';
import type { Properties, UserProperty } from '../wire/properties.ts';
import { topicAddress } from './address.ts';
import { parseTime } from './iso-time.ts';
import { PROPERTY, RESERVED } from './mapping.ts';
import { createMemo } from './memo.ts';
import { fromMqttText } from './text.ts';

/** Context for decoding a packet. */
export interface DecodeOptions {
  readonly version: 5 | 3;
  /** Wall time, ms since the epoch. */
  readonly now: number;
  /** Whether the broker sent it from its store because we subscribed. */
  readonly replay: boolean;
  /** User property whose value becomes the dedupe key. */
  readonly dedupeProperty?: string | undefined;
}

/** An event under construction. */
type Draft = { -readonly [K in keyof ReceivedEvent]: ReceivedEvent[K] };

const NONE: readonly never[] = [];

/** A received message as an event. Pure and total: garbage in a property is ignored or kept as a header. Per message. */
export function decode(packet: InboundPacket, options: DecodeOptions): ReceivedEvent {
  const { properties } = packet;
  const event: Draft = {
    address: addressOf(packet.topic),
    kind: 'message',
    body: packet.payload,
    headers: NONE,
    via: NONE,
    origin: originOf(packet, options),
  };
  if (packet.retain) event.retain = true;
  if (packet.dup) event.redelivered = true;
  if (!properties) return event;
  if (properties.userProperties) readUserProperties(properties.userProperties, event, options.dedupeProperty);
  readNative(properties, event, options.now);
  return event;
}

const addressOf = createMemo((topic): Address => ({ scheme: topicAddress.scheme, segments: topic.split('/') }));

function originOf(
  { topic, qos, retain, dup, packetId, properties }: InboundPacket,
  { replay, version }: DecodeOptions,
) {
  const utf8 = properties?.payloadFormatIndicator;
  if (utf8 !== undefined) {
    return { topic, qos, retain, replay, dup, ...(qos > 0 ? { packetId } : {}), version, utf8 };
  }
  return qos > 0
    ? { topic, qos, retain, replay, dup, packetId, version }
    : { topic, qos, retain, replay, dup, version };
}

/** Properties defined by MQTT 5; they take precedence over user properties for the same field. */
function readNative(properties: Properties, event: Draft, now: number): void {
  const { contentType, responseTopic, correlationData, messageExpiryInterval } = properties;
  if (contentType) event.contentType = fromMqttText(contentType);
  if (responseTopic) event.replyTo = addressOf(responseTopic);
  if (correlationData) event.correlationId = bytesToText(correlationData);
  if (messageExpiryInterval !== undefined) event.expiresAt = now + messageExpiryInterval * 1000;
}

/**
 * Reads fields from user properties with reserved names, each from its first value; all other properties become
 * headers.
 */
function readUserProperties(pairs: readonly UserProperty[], event: Draft, dedupeProperty: string | undefined): void {
  const headers: Header[] = [];
  const reserved = new Map<string, string>();
  const via: string[] = [];
  for (const pair of pairs) {
    const name = fromMqttText(pair[0]);
    const value = fromMqttText(pair[1]);
    if (name === dedupeProperty) event.dedupeKey ??= value;
    if (!RESERVED.has(name)) headers.push([name, value]);
    else if (name === PROPERTY.via) via.push(value);
    else if (!reserved.has(name)) reserved.set(name, value);
  }
  event.headers = headers;
  event.via = viaOf(via);
  if (reserved.size === 0) return;
  const garbage = readReserved(reserved, event);
  if (garbage.length > 0) event.headers = headersWith(pairs, garbage);
}

/** @returns the names whose values are malformed. */
function readReserved(reserved: ReadonlyMap<string, string>, event: Draft): readonly string[] {
  const garbage: string[] = [];
  const trace = traceOf(reserved.get(PROPERTY.traceparent), reserved.get(PROPERTY.tracestate));
  if (trace) event.trace = trace;
  for (const [name, value] of reserved) if (!readOne(name, value, event)) garbage.push(name);
  return garbage;
}

function readOne(name: string, value: string, event: Draft): boolean {
  switch (name) {
    case PROPERTY.id:
      event.id = value;
      return true;
    case PROPERTY.type:
      event.type = value;
      return true;
    case PROPERTY.subject:
      event.subject = value;
      return true;
    case PROPERTY.contentEncoding:
      event.contentEncoding = value;
      return true;
    case PROPERTY.priority:
      if (!/^[0-9]$/.test(value)) return false;
      event.priority = Number(value);
      return true;
    case PROPERTY.time:
      return readTime(value, event);
    case PROPERTY.replyTo: {
      const address = textToAddress(value);
      if (address) event.replyTo = address;
      return address !== undefined;
    }
    case PROPERTY.redelivered:
      if (value === 'true') event.redelivered = true;
      return true;
    case PROPERTY.traceparent:
    case PROPERTY.tracestate:
      return event.trace !== undefined;
    default:
      return false;
  }
}

function readTime(value: string, event: Draft): boolean {
  const time = parseTime(value);
  if (Number.isNaN(time)) return false;
  event.time = time;
  return true;
}

/** All headers in the order of the packet, including reserved names with malformed values. */
const headersWith = (pairs: readonly UserProperty[], garbage: readonly string[]): Header[] =>
  pairs
    .map(([name, value]): Header => [fromMqttText(name), fromMqttText(value)])
    .filter(([name]) => !RESERVED.has(name) || garbage.includes(name));
