import { isUtf8 } from 'node:buffer';
import {
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
import { topicAddress } from './address.ts';
import { PROPERTY, RESERVED } from './mapping.ts';
import { formatAddress } from './reply-to.ts';
import { toMqttText } from './text.ts';

/** Longest text or binary field of a packet, in bytes (MQTT 5 section 1.5.4). */
const MAX_FIELD_BYTES = 65_535;
const MAX_EXPIRY_SECONDS = 0xffff_ffff;

/** MQTT 5 properties of a PUBLISH, as the library writes them. */
export interface OutboundProperties {
  payloadFormatIndicator?: boolean;
  messageExpiryInterval?: number;
  contentType?: string;
  responseTopic?: string;
  correlationData?: Buffer;
  userProperties?: Record<string, string[]>;
}

/** A PUBLISH to send. */
export interface OutboundPacket {
  readonly topic: string;
  readonly payload: Buffer;
  readonly qos: 0 | 1 | 2;
  readonly retain: boolean;
  readonly properties?: OutboundProperties;
}

/**
 * An event as a PUBLISH. Pure. Called once per attempt.
 * @throws Rejected when the address is no topic; TooLarge when a property has more than 65,535 bytes.
 */
export function encode(event: OutgoingEvent, target: TargetRequest, version: 5 | 3, now: number): OutboundPacket {
  const { qos, retain } = optionsOf(target.options);
  const packet = {
    topic: topicOf(target),
    payload: Buffer.from(event.body.buffer, event.body.byteOffset, event.body.byteLength),
    qos,
    retain: retain ?? event.retain ?? false,
  };
  return version === 5 ? { ...packet, properties: propertiesOf(event, now) } : packet;
}

/** Options come parsed by the target schema; read by hand because this runs for every message. */
function optionsOf(options: unknown): { qos: 0 | 1 | 2; retain: boolean | undefined } {
  const { qos, retain } = { qos: undefined, retain: undefined, ...(typeof options === 'object' ? options : {}) };
  return { qos: qos === 0 || qos === 2 ? qos : 1, retain: typeof retain === 'boolean' ? retain : undefined };
}

function topicOf({ address }: TargetRequest): string {
  const problem =
    address.scheme === topicAddress.scheme
      ? topicAddress.check(address.segments)
      : `an address of the scheme "${address.scheme}", expected "topic"`;
  if (problem !== undefined) throw new Rejected(`cannot publish to ${formatAddress(address)}: ${problem}`);
  return topicAddress.format(address.segments);
}

function propertiesOf(event: OutgoingEvent, now: number): OutboundProperties {
  const { contentType, correlationId, expiresAt } = event;
  return {
    ...(isText(event) ? { payloadFormatIndicator: true } : {}),
    ...(expiresAt === undefined ? {} : { messageExpiryInterval: secondsUntil(expiresAt, now) }),
    ...(contentType === undefined ? {} : { contentType: field('the content type', contentType) }),
    ...(correlationId === undefined ? {} : { correlationData: binary('the correlation id', correlationId) }),
    ...responseTopic(event),
    userProperties: userProperties(event),
  };
}

/** The payload format indicator promises UTF-8; the broker may check it [MQTT-3.3.2-4]. */
const isText = ({ contentType, body }: OutgoingEvent): boolean =>
  contentType !== undefined && (/^text\//i.test(contentType) || isJsonType(contentType)) && isUtf8(body);

const secondsUntil = (expiresAt: number, now: number): number =>
  Math.min(MAX_EXPIRY_SECONDS, Math.max(1, Math.ceil((expiresAt - now) / 1000)));

const canRespond = ({ replyTo }: OutgoingEvent): boolean =>
  replyTo?.scheme === topicAddress.scheme && topicAddress.check(replyTo.segments) === undefined;

const responseTopic = (event: OutgoingEvent): { responseTopic?: string } =>
  event.replyTo && canRespond(event) ? { responseTopic: topicAddress.format(event.replyTo.segments) } : {};

/** Own headers first, then the reserved ones; a header can never pose as a reserved one. */
function userProperties(event: OutgoingEvent): Record<string, string[]> {
  const grouped: Record<string, string[]> = Object.create(null);
  const add = (name: string, wireText: string): void => {
    checkSize(`the header "${name.slice(0, 100)}"`, Buffer.byteLength(wireText));
    const wireName = field('a header name', name);
    grouped[wireName] = [...(grouped[wireName] ?? []), wireText];
  };
  for (const [name, value] of event.headers) if (!RESERVED.has(name)) add(name, headerText(value));
  for (const [name, value] of reservedHeaders(event)) add(name, toMqttText(value));
  return grouped;
}

function reservedHeaders(event: OutgoingEvent): [name: string, value: string][] {
  const { priority, replyTo, trace, time } = event;
  const optional: [string, string | undefined][] = [
    [PROPERTY.id, event.id],
    [PROPERTY.type, event.type],
    [PROPERTY.subject, event.subject],
    [PROPERTY.contentEncoding, event.contentEncoding],
    [PROPERTY.priority, priority === undefined ? undefined : String(priority)],
    [PROPERTY.time, isoTime(time)],
    [PROPERTY.replyTo, replyTo && !canRespond(event) ? formatAddress(replyTo) : undefined],
    [PROPERTY.traceparent, trace?.traceparent],
    [PROPERTY.tracestate, trace?.tracestate],
    [PROPERTY.redelivered, event.redelivered ? 'true' : undefined],
    ...event.via.map((id): [string, string] => [PROPERTY.via, id]),
  ];
  return optional.filter((entry): entry is [string, string] => entry[1] !== undefined);
}

const isoTime = (ms: number): string | undefined => {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString();
};

/** A header value as text: scalars as they print, bytes as `base64:…`, lists and records as JSON. */
function headerText(value: Header[1]): string {
  if (value instanceof Uint8Array) return `base64:${Buffer.from(value).toString('base64')}`;
  if (typeof value === 'string') return toMqttText(value);
  return toMqttText(isScalar(value) ? String(value) : JSON.stringify(headerValueToJson(value)));
}

const isScalar = (value: HeaderValue): value is number | boolean | null => value === null || typeof value !== 'object';

function field(what: string, value: string): string {
  const text = toMqttText(value);
  checkSize(what, Buffer.byteLength(text));
  return text;
}

function binary(what: string, value: string): Buffer {
  const bytes = Buffer.from(textToBytes(value));
  checkSize(what, bytes.length);
  return bytes;
}

function checkSize(what: string, bytes: number): void {
  if (bytes > MAX_FIELD_BYTES) {
    throw new TooLarge(`${what} has ${bytes} bytes, MQTT carries at most ${MAX_FIELD_BYTES} in one property`);
  }
}

const varint = (value: number): number => (value < 128 ? 1 : value < 16_384 ? 2 : value < 2_097_152 ? 3 : 4);

/** Bytes of a PUBLISH on the wire, to respect the broker's Maximum Packet Size [MQTT-3.2.2-15]. */
export function packetBytes({ topic, payload, qos, properties }: OutboundPacket): number {
  const body = 2 + Buffer.byteLength(topic) + (qos > 0 ? 2 : 0) + payload.length;
  const remaining = body + (properties ? propertyBytes(properties) : 0);
  return 1 + varint(remaining) + remaining;
}

function propertyBytes(properties: OutboundProperties): number {
  const text = (value: string | Buffer | undefined): number => (value === undefined ? 0 : 3 + Buffer.byteLength(value));
  const pairs = Object.entries(properties.userProperties ?? {}).flatMap(([name, values]) =>
    values.map((value) => 5 + Buffer.byteLength(name) + Buffer.byteLength(value)),
  );
  const bytes =
    text(properties.contentType) +
    text(properties.responseTopic) +
    text(properties.correlationData) +
    (properties.payloadFormatIndicator === undefined ? 0 : 2) +
    (properties.messageExpiryInterval === undefined ? 0 : 5) +
    pairs.reduce((sum, size) => sum + size, 0);
  return varint(bytes) + bytes;
}
