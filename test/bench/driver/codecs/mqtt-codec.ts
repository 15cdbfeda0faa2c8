import { SEQUENCE_OFFSET } from '../body.ts';

/** Protocol level on the wire: 4 is MQTT 3.1.1. */
export type MqttVersion = 4 | 5;

/** First nibbles of packets. */
export const PACKET = { connack: 2, publish: 3, puback: 4, suback: 9 } as const;

const text = (content: string): Buffer => {
  const bytes = Buffer.from(content);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(bytes.length);
  return Buffer.concat([length, bytes]);
};

const packet = (first: number, ...parts: readonly Buffer[]): Buffer => {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([first]), remainingLength(body.length), body]);
};

function remainingLength(length: number): Buffer {
  const bytes: number[] = [];
  let left = length;
  do {
    const byte = left % 128;
    left = Math.floor(left / 128);
    bytes.push(left > 0 ? byte + 128 : byte);
  } while (left > 0);
  return Buffer.from(bytes);
}

/** Credentials; none by default. */
export interface MqttLogin {
  readonly user?: string | undefined;
  readonly password?: string | undefined;
}

/** CONNECT with a clean session and no keep-alive. */
export function connectPacket(clientId: string, version: MqttVersion, { user, password }: MqttLogin = {}): Buffer {
  const flags = 0x02 | (user === undefined ? 0 : 0x80) | (password === undefined ? 0 : 0x40);
  const properties = version === 5 ? Buffer.from([0]) : Buffer.alloc(0);
  const login = [user, password].filter((each) => each !== undefined);
  return packet(
    0x10,
    text('MQTT'),
    Buffer.from([version, flags, 0, 0]),
    ...[properties, text(clientId), ...login.map(text)],
  );
}

/** SUBSCRIBE to one filter. */
export const subscribePacket = (filter: string, qos: 0 | 1, version: MqttVersion): Buffer =>
  packet(0x82, Buffer.from(version === 5 ? [0, 1, 0] : [0, 1]), text(filter), Buffer.from([qos]));

/** PUBACKs of many packet ids in one piece. */
export function pubackPackets(ids: readonly number[]): Buffer {
  const bytes = Buffer.allocUnsafe(ids.length * 4);
  let at = 0;
  for (const id of ids) {
    bytes[at] = 0x40;
    bytes[at + 1] = 2;
    bytes.writeUInt16BE(id, at + 2);
    at += 4;
  }
  return bytes;
}

/** An encoded PUBLISH whose packet id and sequence number are still to be filled in. */
export interface PublishTemplate {
  readonly bytes: Buffer;
  /** Where the packet id is; -1 at QoS 0. */
  readonly idAt: number;
  readonly sequenceAt: number;
}

/** Encodes a PUBLISH once for many messages. */
export function publishTemplate(topic: string, body: Buffer, qos: 0 | 1, version: MqttVersion): PublishTemplate {
  const name = text(topic);
  const id = Buffer.alloc(qos * 2);
  const properties = Buffer.alloc(version === 5 ? 1 : 0);
  const bytes = packet(0x30 | (qos << 1), name, id, properties, body);
  const bodyAt = bytes.length - body.length;
  return {
    bytes,
    idAt: qos === 0 ? -1 : bodyAt - properties.length - 2,
    sequenceAt: bodyAt + SEQUENCE_OFFSET,
  };
}

/** Whom {@link readPackets} tells. */
export interface PacketReader {
  /** A PUBLISH whose body is at `bodyAt`; `id` is 0 at QoS 0. */
  publish(bytes: Buffer, bodyAt: number, id: number): void;
  /** Any other packet; its variable header is at `at`. */
  other(type: number, bytes: Buffer, at: number): void;
}

/** Reads all complete packets and returns how many bytes they have. */
export function readPackets(bytes: Buffer, version: MqttVersion, reader: PacketReader): number {
  let start = 0;
  for (;;) {
    const header = readLength(bytes, start + 1);
    if (header < 0) return start;
    const at = start + 1 + lengthBytes;
    const end = at + header;
    if (end > bytes.length) return start;
    const first = bytes[start]!;
    if (first >> 4 === PACKET.publish) readPublish(bytes, at, first, version, reader);
    else reader.other(first >> 4, bytes, at);
    start = end;
  }
}

/** How many bytes the last length had; a second return value without an object per packet. */
let lengthBytes = 0;

/** A length of one to four bytes; -1 when it is not complete. */
function readLength(bytes: Buffer, from: number): number {
  let value = 0;
  let factor = 1;
  for (let count = 1; count <= 4; count++) {
    const byte = bytes[from + count - 1];
    if (byte === undefined) return -1;
    value += (byte & 127) * factor;
    if (byte < 128) {
      lengthBytes = count;
      return value;
    }
    factor *= 128;
  }
  throw new Error('a packet has a length of more than four bytes');
}

function readPublish(bytes: Buffer, start: number, first: number, version: MqttVersion, reader: PacketReader): void {
  let at = start + 2 + bytes.readUInt16BE(start);
  let id = 0;
  if ((first & 6) > 0) {
    id = bytes.readUInt16BE(at);
    at += 2;
  }
  if (version === 5) {
    const properties = readLength(bytes, at);
    at += lengthBytes + properties;
  }
  reader.publish(bytes, at, id);
}
