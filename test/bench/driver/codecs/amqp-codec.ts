import { SEQUENCE_OFFSET } from '../body.ts';

/** Frame types. */
export const FRAME = { method: 1, header: 2, body: 3, heartbeat: 8 } as const;

/** Class and method in one number, as they stand in a method frame. */
export const METHOD = {
  connectionStart: 0x000a_000a,
  connectionTune: 0x000a_001e,
  connectionOpenOk: 0x000a_0029,
  connectionClose: 0x000a_0032,
  channelOpenOk: 0x0014_000b,
  channelClose: 0x0014_0028,
  confirmSelectOk: 0x0055_000b,
  consumeOk: 0x003c_0015,
  qosOk: 0x003c_000b,
  deliver: 0x003c_003c,
  ack: 0x003c_0050,
  nack: 0x003c_0078,
} as const;

/** The greeting of AMQP 0-9-1. */
export const PROTOCOL_HEADER = Buffer.from('AMQP\0\0\x09\x01', 'latin1');

const FRAME_END = 0xce;
/** Bytes of a frame around its payload. */
const AROUND = 8;

/** A frame. */
export function frame(type: number, channel: number, payload: Buffer): Buffer {
  const bytes = Buffer.alloc(payload.length + AROUND);
  bytes[0] = type;
  bytes.writeUInt16BE(channel, 1);
  bytes.writeUInt32BE(payload.length, 3);
  payload.copy(bytes, 7);
  bytes[bytes.length - 1] = FRAME_END;
  return bytes;
}

const short = (text: string): Buffer => {
  const bytes = Buffer.from(text);
  return Buffer.concat([Buffer.from([bytes.length]), bytes]);
};
const long = (bytes: Buffer): Buffer => {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
};
const method = (channel: number, id: number, ...parts: readonly Buffer[]): Buffer => {
  const head = Buffer.alloc(4);
  head.writeUInt32BE(id);
  return frame(FRAME.method, channel, Buffer.concat([head, ...parts]));
};
const NO_TABLE = long(Buffer.alloc(0));

/** Frames a client sends to get a connection with one channel. */
export const HANDSHAKE = {
  startOk: (user: string, password: string): Buffer =>
    method(0, 0x000a_000b, NO_TABLE, short('PLAIN'), long(Buffer.from(`\0${user}\0${password}`)), short('en_US')),
  /** One channel; no heartbeats: a generator that is busy must not lose its connection. */
  tuneOk: (frameMax: number): Buffer => {
    const limits = Buffer.alloc(8);
    limits.writeUInt16BE(1);
    limits.writeUInt32BE(frameMax, 2);
    return method(0, 0x000a_001f, limits);
  },
  open: (): Buffer => method(0, 0x000a_0028, short('/'), Buffer.alloc(2)),
  channelOpen: (): Buffer => method(1, 0x0014_000a, short('')),
  confirmSelect: (): Buffer => method(1, 0x0055_000a, Buffer.alloc(1)),
  qos: (prefetch: number): Buffer => {
    const fields = Buffer.alloc(7);
    fields.writeUInt16BE(prefetch, 4);
    return method(1, 0x003c_000a, fields);
  },
  consume: (queue: string, noAck: boolean): Buffer =>
    method(1, 0x003c_0014, Buffer.alloc(2), short(queue), short(''), Buffer.from([noAck ? 2 : 0]), NO_TABLE),
} as const;

/** `basic.ack` of everything up to a tag. */
export function ackFrame(tag: bigint): Buffer {
  const fields = Buffer.alloc(9);
  fields.writeBigUInt64BE(tag);
  fields[8] = 1;
  return method(1, METHOD.ack, fields);
}

/** An encoded persistent `basic.publish` with header and body, whose sequence number is still to be filled in. */
export interface AmqpTemplate {
  readonly bytes: Buffer;
  readonly sequenceAt: number;
}

/** Encodes a message once for many; the body is in one frame. */
export function amqpTemplate(exchange: string, routingKey: string, body: Buffer): AmqpTemplate {
  const publish = method(1, 0x003c_0028, Buffer.alloc(2), short(exchange), short(routingKey), Buffer.alloc(1));
  const properties = Buffer.concat([short('application/json'), Buffer.from([2])]);
  const header = Buffer.alloc(14);
  header.writeUInt16BE(60);
  header.writeBigUInt64BE(BigInt(body.length), 4);
  header.writeUInt16BE(0x9000, 12);
  const bytes = Buffer.concat([
    publish,
    frame(FRAME.header, 1, Buffer.concat([header, properties])),
    frame(FRAME.body, 1, body),
  ]);
  return { bytes, sequenceAt: bytes.length - 1 - body.length + SEQUENCE_OFFSET };
}

/** Whom {@link readFrames} tells; `at` is where the payload begins and `end` where it ends. */
export type FrameReader = (type: number, bytes: Buffer, at: number, end: number) => void;

/** Reads all complete frames and returns how many bytes they have. Throws when a frame does not end as one. */
export function readFrames(bytes: Buffer, read: FrameReader): number {
  let start = 0;
  while (bytes.length - start >= AROUND) {
    const end = start + 7 + bytes.readUInt32BE(start + 3);
    if (end >= bytes.length) return start;
    if (bytes[end] !== FRAME_END) throw new Error('an AMQP frame does not end with its mark');
    read(bytes[start]!, bytes, start + 7, end);
    start = end + 1;
  }
  return start;
}
