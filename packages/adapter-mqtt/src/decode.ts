import { type Address, bytesToText, type Header, type ReceivedEvent } from '@magpie/contract';
import { topicAddress } from './address.ts';
import { PROPERTY } from './mapping.ts';
import { parseAddress } from './reply-to.ts';
import { fromMqttText } from './text.ts';

/** A received PUBLISH as the parser gives it; nothing about its properties is believed. */
export interface InboundPacket {
  readonly topic: string;
  readonly payload: string | Uint8Array;
  readonly qos: number;
  readonly retain: boolean;
  readonly dup: boolean;
  readonly messageId?: number | undefined;
  readonly properties?: Readonly<Record<string, unknown>> | undefined;
}

/** What decoding a packet needs to know besides the packet. */
export interface DecodeOptions {
  readonly version: 5 | 3;
  /** Wall time, ms since the epoch. */
  readonly now: number;
  /** Whether it comes from the broker's store because we subscribed. */
  readonly replay: boolean;
  /** User property whose value becomes the dedupe key. */
  readonly dedupeProperty?: string | undefined;
}

/** User properties being taken apart: what is not taken becomes a header. */
type Properties = Map<string, string[]>;

/** A received message as an event. Pure and total: garbage in a property is ignored or kept as a header. Per message. */
export function decode(packet: InboundPacket, options: DecodeOptions): ReceivedEvent {
  const native = packet.properties ?? {};
  const properties = userProperties(native.userProperties);
  const dedupeKey = options.dedupeProperty === undefined ? undefined : properties.get(options.dedupeProperty)?.[0];
  const reserved = { ...reservedParts(properties), ...nativeParts(native, options.now) };
  const redelivered = packet.dup || take(properties, PROPERTY.redelivered) === 'true';
  return {
    address: topicOf(packet.topic),
    kind: 'message',
    body: typeof packet.payload === 'string' ? Buffer.from(packet.payload) : packet.payload,
    ...reserved,
    time: takeTime(properties) ?? options.now,
    via: takeAll(properties, PROPERTY.via),
    ...(packet.retain ? { retain: true } : {}),
    ...(redelivered ? { redelivered } : {}),
    ...(dedupeKey === undefined ? {} : { dedupeKey }),
    headers: headersOf(properties),
    origin: originOf(packet, native, options),
  };
}

function originOf(packet: InboundPacket, native: Readonly<Record<string, unknown>>, options: DecodeOptions) {
  const utf8 = native.payloadFormatIndicator;
  return {
    topic: packet.topic,
    qos: packet.qos,
    retain: packet.retain,
    replay: options.replay,
    dup: packet.dup,
    ...(packet.qos > 0 && packet.messageId !== undefined ? { packetId: packet.messageId } : {}),
    version: options.version,
    ...(typeof utf8 === 'boolean' ? { utf8 } : {}),
  };
}

/** Properties that MQTT 5 itself defines. */
function nativeParts(native: Readonly<Record<string, unknown>>, now: number) {
  const contentType = nonEmpty(native.contentType);
  const responseTopic = nonEmpty(native.responseTopic);
  const correlation = native.correlationData;
  const seconds = native.messageExpiryInterval;
  return {
    ...(contentType === undefined ? {} : { contentType: fromMqttText(contentType) }),
    ...(responseTopic === undefined ? {} : { replyTo: topicOf(responseTopic) }),
    ...(correlation instanceof Uint8Array ? { correlationId: bytesToText(correlation) } : {}),
    ...(typeof seconds === 'number' && seconds >= 0 ? { expiresAt: now + seconds * 1000 } : {}),
  };
}

/** Fields that travel in user properties of reserved names. */
function reservedParts(properties: Properties) {
  const id = take(properties, PROPERTY.id);
  const type = take(properties, PROPERTY.type);
  const subject = take(properties, PROPERTY.subject);
  const contentEncoding = take(properties, PROPERTY.contentEncoding);
  const priority = takePriority(properties);
  const replyTo = takeAddress(properties);
  const trace = takeTrace(properties);
  return {
    ...(id === undefined ? {} : { id }),
    ...(type === undefined ? {} : { type }),
    ...(subject === undefined ? {} : { subject }),
    ...(contentEncoding === undefined ? {} : { contentEncoding }),
    ...(priority === undefined ? {} : { priority }),
    ...(replyTo === undefined ? {} : { replyTo }),
    ...(trace === undefined ? {} : { trace }),
  };
}

function takeTrace(properties: Properties) {
  const traceparent = take(properties, PROPERTY.traceparent);
  if (traceparent === undefined) return undefined;
  const tracestate = take(properties, PROPERTY.tracestate);
  return { traceparent, ...(tracestate === undefined ? {} : { tracestate }) };
}

function takePriority(properties: Properties): number | undefined {
  const text = properties.get(PROPERTY.priority)?.[0];
  if (text === undefined || !/^[0-9]$/.test(text)) return undefined;
  return Number(take(properties, PROPERTY.priority));
}

function takeTime(properties: Properties): number | undefined {
  const time = Date.parse(properties.get(PROPERTY.time)?.[0] ?? '');
  if (Number.isNaN(time)) return undefined;
  take(properties, PROPERTY.time);
  return time;
}

function takeAddress(properties: Properties): Address | undefined {
  const address = parseAddress(properties.get(PROPERTY.replyTo)?.[0] ?? '');
  if (address) take(properties, PROPERTY.replyTo);
  return address;
}

/** Removes a name and gives its first value. */
function take(properties: Properties, name: string): string | undefined {
  return takeAll(properties, name)[0];
}

function takeAll(properties: Properties, name: string): string[] {
  const values = properties.get(name) ?? [];
  properties.delete(name);
  return values;
}

const headersOf = (properties: Properties): Header[] =>
  [...properties].flatMap(([name, values]) => values.map((value): Header => [name, value]));

/** User properties grouped by name, as the parser gives them: a text, or a list of texts where the name repeats. */
function userProperties(value: unknown): Properties {
  const properties: Properties = new Map();
  if (typeof value !== 'object' || value === null) return properties;
  for (const [name, entry] of Object.entries(value)) {
    const values = (Array.isArray(entry) ? entry : [entry]).filter((text) => typeof text === 'string');
    if (values.length > 0) properties.set(fromMqttText(name), values.map(fromMqttText));
  }
  return properties;
}

const nonEmpty = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined;

const topicOf = (topic: string): Address => ({ scheme: topicAddress.scheme, segments: topic.split('/') });
