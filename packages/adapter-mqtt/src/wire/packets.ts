import { Malformed } from '@magpie/adapter-kit';
import type { PacketCursor } from './cursor.ts';
import { type Properties, readProperties } from './properties.ts';

/** A received PUBLISH. */
export interface InboundPacket {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: 0 | 1 | 2;
  readonly retain: boolean;
  readonly dup: boolean;
  /** 0 at QoS 0. */
  readonly packetId: number;
  readonly properties: Properties | undefined;
}

/** A received PUBACK, PUBREC, PUBREL or PUBCOMP. */
export interface AckPacket {
  readonly type: 'puback' | 'pubrec' | 'pubrel' | 'pubcomp';
  readonly packetId: number;
  readonly reasonCode: number;
  readonly reasonString: string | undefined;
}

/** A received CONNACK; a reason code above 0 refuses the login. */
export interface ConnackPacket {
  readonly type: 'connack';
  readonly sessionPresent: boolean;
  readonly reasonCode: number;
  readonly properties: Properties;
}

/** A received SUBACK or UNSUBACK; the codes of UNSUBACK exist in MQTT 5 only. */
export interface SubackPacket {
  readonly type: 'suback' | 'unsuback';
  readonly packetId: number;
  readonly codes: readonly number[];
  readonly reasonString: string | undefined;
}

/** Everything a broker sends besides PUBLISH. */
export type ControlPacket =
  | AckPacket
  | ConnackPacket
  | SubackPacket
  | { readonly type: 'pingresp' }
  | { readonly type: 'disconnect'; readonly reasonCode: number; readonly reasonString: string | undefined };

/** Packet types by the upper half of the first byte (MQTT 5 section 2.1.2). */
export const TYPE = {
  connack: 2,
  publish: 3,
  puback: 4,
  pubrec: 5,
  pubrel: 6,
  pubcomp: 7,
  suback: 9,
  unsuback: 11,
  pingresp: 13,
  disconnect: 14,
  auth: 15,
} as const;

/**
 * Reads a packet other than PUBLISH, whose first byte is `first`; the cursor is after the length.
 * @throws Malformed also for what only clients send, and for AUTH, as we never start an enhanced authentication.
 */
export function readControl(first: number, cursor: PacketCursor, version: 5 | 3): ControlPacket {
  const type = first >> 4;
  if ((first & 0xf) !== (type === TYPE.pubrel ? 2 : 0)) {
    throw new Malformed(`a packet of type ${type} with the flags ${first & 0xf} [MQTT-2.1.3-1]`);
  }
  const packet = readBody(type, cursor, version);
  if (cursor.left > 0) throw new Malformed(`a packet of type ${packet.type} with ${cursor.left} bytes too many`);
  return packet;
}

function readBody(type: number, cursor: PacketCursor, version: 5 | 3): ControlPacket {
  switch (type) {
    case TYPE.puback:
      return readAck('puback', cursor, version);
    case TYPE.pubrec:
      return readAck('pubrec', cursor, version);
    case TYPE.pubrel:
      return readAck('pubrel', cursor, version);
    case TYPE.pubcomp:
      return readAck('pubcomp', cursor, version);
    case TYPE.connack:
      return readConnack(cursor, version);
    case TYPE.suback:
      return readSuback('suback', cursor, version);
    case TYPE.unsuback:
      return readSuback('unsuback', cursor, version);
    case TYPE.pingresp:
      return { type: 'pingresp' };
    case TYPE.disconnect:
      return readDisconnect(cursor, version);
    case TYPE.auth:
      throw new Malformed('an AUTH packet outside of an authentication [MQTT-4.12.0-6]');
    default:
      throw new Malformed(`a packet of type ${type}, which no broker may send`);
  }
}

/** Reason code and properties may be left out (MQTT 5 section 3.4.2.1); MQTT 3.1.1 has none. */
function readAck(type: AckPacket['type'], cursor: PacketCursor, version: 5 | 3): AckPacket {
  const packetId = readPacketId(cursor);
  const reasonCode = version === 5 && cursor.left > 0 ? cursor.byte() : 0;
  const properties = version === 5 && cursor.left > 0 ? readProperties(cursor) : undefined;
  return { type, packetId, reasonCode, reasonString: properties?.reasonString };
}

/** @throws Malformed for 0 [MQTT-2.2.1-3]. */
export function readPacketId(cursor: PacketCursor): number {
  const id = cursor.uint16();
  if (id === 0) throw new Malformed('a packet id of 0 [MQTT-2.2.1-3]');
  return id;
}

function readConnack(cursor: PacketCursor, version: 5 | 3): ConnackPacket {
  const flags = cursor.byte();
  if (flags > 1) throw new Malformed(`a CONNACK with the flags ${flags} [MQTT-3.2.2-1]`);
  const reasonCode = cursor.byte();
  // A broker that does not know MQTT 5 refuses it in the form of 3.1.1, without properties.
  const properties = version === 5 && cursor.left > 0 ? readProperties(cursor) : undefined;
  return { type: 'connack', sessionPresent: flags === 1, reasonCode, properties: properties ?? {} };
}

function readSuback(type: SubackPacket['type'], cursor: PacketCursor, version: 5 | 3): SubackPacket {
  const packetId = readPacketId(cursor);
  const properties = version === 5 ? readProperties(cursor) : undefined;
  const codes = [...cursor.bytes.subarray(cursor.at, cursor.end)];
  cursor.at = cursor.end;
  return { type, packetId, codes, reasonString: properties?.reasonString };
}

function readDisconnect(cursor: PacketCursor, version: 5 | 3): ControlPacket {
  if (version === 3) throw new Malformed('a DISCONNECT, which MQTT 3.1.1 brokers never send');
  const reasonCode = cursor.left > 0 ? cursor.byte() : 0;
  const properties = cursor.left > 0 ? readProperties(cursor) : undefined;
  return { type: 'disconnect', reasonCode, reasonString: properties?.reasonString };
}
