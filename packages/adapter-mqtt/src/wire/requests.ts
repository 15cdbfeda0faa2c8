/** Content of a CONNECT. Lengths are checked by the configuration. */
export interface ConnectRequest {
  readonly version: 5 | 3;
  readonly clientId: string;
  /** Forget the session of an earlier link. */
  readonly clean: boolean;
  /** Seconds. */
  readonly keepalive: number;
  readonly username?: string;
  readonly password?: string;
  readonly will?: Will;
  /** MQTT 5 only: what the broker keeps (seconds) and sends. */
  readonly sessionExpiryInterval: number;
  readonly receiveMaximum: number;
  readonly maximumPacketSize: number;
}

/** Message that the broker publishes when the link ends without a DISCONNECT. */
export interface Will {
  readonly topic: string;
  readonly payload: Buffer;
  readonly qos: 0 | 1 | 2;
  readonly retain: boolean;
}

/** Options of one SUBSCRIBE (MQTT 5 section 3.8.3.1); the optional ones exist in MQTT 5 only. */
export interface SubscribeOptions {
  readonly qos: 0 | 1;
  /** Do not send us what we publish. */
  readonly nl?: boolean;
  /** Keep the retain flag as published. */
  readonly rap?: boolean;
  /** 0: send retained messages; 1: only when the subscription is new; 2: never. */
  readonly rh?: 0 | 1 | 2;
  /** Sent by the broker with every message that matches this subscription. */
  readonly identifier?: number;
}

export const PINGREQ: Buffer = Buffer.from([0xc0, 0]);
export const DISCONNECT: Buffer = Buffer.from([0xe0, 0]);

/** CONNECT (MQTT 5 section 3.1). */
export function encodeConnect(request: ConnectRequest): Buffer {
  const { version, clientId, clean, keepalive, username, password, will } = request;
  const flags =
    (username === undefined ? 0 : 0x80) |
    (password === undefined ? 0 : 0x40) |
    (will ? 0x04 | (will.qos << 3) | (will.retain ? 0x20 : 0) : 0) |
    (clean ? 0x02 : 0);
  const isFive = version === 5;
  return packetOf(0x10, [
    textField('MQTT'),
    Buffer.from([isFive ? 5 : 4, flags, keepalive >> 8, keepalive & 0xff]),
    ...(isFive ? [connectProperties(request)] : []),
    textField(clientId),
    ...(will ? [...(isFive ? [Buffer.from([0])] : []), textField(will.topic), field(will.payload)] : []),
    ...(username === undefined ? [] : [textField(username)]),
    ...(password === undefined ? [] : [textField(password)]),
  ]);
}

function connectProperties({ sessionExpiryInterval, receiveMaximum, maximumPacketSize }: ConnectRequest): Buffer {
  const bytes = Buffer.alloc(14);
  bytes[0] = 13;
  bytes[1] = 0x11;
  bytes.writeUInt32BE(sessionExpiryInterval, 2);
  bytes[6] = 0x21;
  bytes.writeUInt16BE(receiveMaximum, 7);
  bytes[9] = 0x27;
  bytes.writeUInt32BE(maximumPacketSize, 10);
  return bytes;
}

/** SUBSCRIBE for filters of the same options (MQTT 5 section 3.8). */
export function encodeSubscribe(
  packetId: number,
  filters: readonly string[],
  { qos, nl, rap, rh = 0, identifier }: SubscribeOptions,
  version: 5 | 3,
): Buffer {
  const options = version === 5 ? qos | (nl ? 0x04 : 0) | (rap ? 0x08 : 0) | (rh << 4) : qos;
  const properties = identifier === undefined ? Buffer.alloc(0) : Buffer.from([0x0b, ...varintBytes(identifier)]);
  return packetOf(0x82, [
    uint16(packetId),
    ...(version === 5 ? [Buffer.from(varintBytes(properties.length)), properties] : []),
    ...filters.flatMap((filter) => [textField(filter), Buffer.from([options])]),
  ]);
}

/** UNSUBSCRIBE (MQTT 5 section 3.10). */
export const encodeUnsubscribe = (packetId: number, filters: readonly string[], version: 5 | 3): Buffer =>
  packetOf(0xa2, [uint16(packetId), ...(version === 5 ? [Buffer.from([0])] : []), ...filters.map(textField)]);

/** Size of a number as a variable byte integer. */
export const varintSize = (value: number): number => (value < 128 ? 1 : value < 16_384 ? 2 : value < 2_097_152 ? 3 : 4);

function varintBytes(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  do {
    bytes.push((rest & 0x7f) | (rest >= 128 ? 0x80 : 0));
    rest >>>= 7;
  } while (rest > 0);
  return bytes;
}

const uint16 = (value: number): Buffer => Buffer.from([value >> 8, value & 0xff]);
const field = (bytes: Buffer): Buffer => Buffer.concat([uint16(bytes.length), bytes]);
const textField = (text: string): Buffer => field(Buffer.from(text));

function packetOf(first: number, parts: readonly Buffer[]): Buffer {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  return Buffer.concat([Buffer.from([first, ...varintBytes(length)]), ...parts]);
}
