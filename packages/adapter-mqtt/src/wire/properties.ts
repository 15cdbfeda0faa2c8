import { Malformed } from '@magpie/adapter-kit';
import type { PacketCursor } from './cursor.ts';

/** Name and value of a user property. */
export type UserProperty = readonly [name: string, value: string];

/** The properties of a received packet that we use (MQTT 5 section 2.2.2.2). */
export interface Properties {
  payloadFormatIndicator?: boolean;
  messageExpiryInterval?: number;
  contentType?: string;
  responseTopic?: string;
  correlationData?: Uint8Array;
  subscriptionIdentifiers?: number[];
  serverKeepAlive?: number;
  reasonString?: string;
  receiveMaximum?: number;
  topicAlias?: number;
  maximumQoS?: number;
  retainAvailable?: boolean;
  maximumPacketSize?: number;
  subscriptionIdentifiersAvailable?: boolean;
  /** In the order of the packet; names may repeat. */
  userProperties?: UserProperty[];
}

const twice = (name: string): Malformed => new Malformed(`the property ${name} twice`);

/** Reads the properties of one packet, with their length. @throws Malformed */
export function readProperties(cursor: PacketCursor): Properties | undefined {
  const length = cursor.varint();
  if (length === 0) return undefined;
  const packetEnd = cursor.end;
  if (length > cursor.left) throw new Malformed('properties that are longer than their packet');
  cursor.end = cursor.at + length;
  const properties: Properties = {};
  while (cursor.at < cursor.end) readProperty(cursor.varint(), cursor, properties);
  cursor.end = packetEnd;
  return properties;
}

function readProperty(id: number, cursor: PacketCursor, into: Properties): void {
  switch (id) {
    case 0x26:
      into.userProperties ??= [];
      into.userProperties.push([cursor.frequentString(), cursor.string()]);
      return;
    case 0x01:
      if (into.payloadFormatIndicator !== undefined) throw twice('Payload Format Indicator');
      into.payloadFormatIndicator = flag(cursor);
      return;
    case 0x02:
      if (into.messageExpiryInterval !== undefined) throw twice('Message Expiry Interval');
      into.messageExpiryInterval = cursor.uint32();
      return;
    case 0x03:
      if (into.contentType !== undefined) throw twice('Content Type');
      into.contentType = cursor.frequentString();
      return;
    case 0x08:
      if (into.responseTopic !== undefined) throw twice('Response Topic');
      into.responseTopic = cursor.string();
      return;
    case 0x09:
      if (into.correlationData !== undefined) throw twice('Correlation Data');
      into.correlationData = cursor.binary();
      return;
    case 0x0b:
      into.subscriptionIdentifiers ??= [];
      into.subscriptionIdentifiers.push(positive(cursor.varint(), 'Subscription Identifier'));
      return;
    default:
      readLinkProperty(id, cursor, into);
  }
}

/** Properties of all packets except PUBLISH. Unused ones are skipped. */
function readLinkProperty(id: number, cursor: PacketCursor, into: Properties): void {
  switch (id) {
    case 0x13:
      into.serverKeepAlive = cursor.uint16();
      return;
    case 0x1f:
      into.reasonString = cursor.string();
      return;
    case 0x21:
      into.receiveMaximum = positive(cursor.uint16(), 'Receive Maximum');
      return;
    case 0x23:
      into.topicAlias = cursor.uint16();
      return;
    case 0x24:
      into.maximumQoS = flag(cursor) ? 1 : 0;
      return;
    case 0x25:
      into.retainAvailable = flag(cursor);
      return;
    case 0x27:
      into.maximumPacketSize = positive(cursor.uint32(), 'Maximum Packet Size');
      return;
    case 0x29:
      into.subscriptionIdentifiersAvailable = flag(cursor);
      return;
    default:
      skip(id, cursor);
  }
}

const TEXTS: ReadonlySet<number> = new Set([0x12, 0x15, 0x16, 0x1a, 0x1c]);
const BYTES: ReadonlySet<number> = new Set([0x17, 0x19, 0x28, 0x2a]);
const WORDS: ReadonlySet<number> = new Set([0x11, 0x18]);

function skip(id: number, cursor: PacketCursor): void {
  if (TEXTS.has(id)) cursor.string();
  else if (BYTES.has(id)) cursor.byte();
  else if (WORDS.has(id)) cursor.uint32();
  else if (id === 0x22) cursor.uint16();
  else throw new Malformed(`an unknown property 0x${id.toString(16).toUpperCase().padStart(2, '0')}`);
}

function flag(cursor: PacketCursor): boolean {
  const value = cursor.byte();
  if (value > 1) throw new Malformed(`a property of ${value} that may only be 0 or 1`);
  return value === 1;
}

function positive(value: number, name: string): number {
  if (value === 0) throw new Malformed(`a ${name} of 0`);
  return value;
}
