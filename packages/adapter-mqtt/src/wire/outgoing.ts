import type { Writable } from 'node:stream';
import { writeAll } from '@magpie/contract';
import { varintSize } from './requests.ts';

/** A PUBLISH to send. */
export interface OutboundPacket {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: 0 | 1 | 2;
  readonly retain: boolean;
  /** MQTT 5: the properties as they go on the wire, without their length. */
  readonly properties?: Uint8Array;
}

/** The four bytes of an acknowledgement, as one number. */
export type AckBytes = number;

/** Types of acknowledgements with their length. Two bytes mean success in MQTT 3.1.1 and 5 alike (MQTT 5 section 3.4.2.1). */
const ACK = { puback: 0x4002, pubrec: 0x5002, pubrel: 0x6202, pubcomp: 0x7002 } as const;

/** An acknowledgement that says success. Never 0. */
export const ackBytes = (type: keyof typeof ACK, packetId: number): AckBytes => ACK[type] * 0x1_0000 + packetId;

/** Writes to a socket: everything of one turn of the event loop in one go, which is what a message costs least by. */
export interface Outgoing {
  /** The socket takes nothing now; what is written nevertheless waits for it. */
  readonly blocked: boolean;
  /** Bytes that wait for the end of the turn, or for the socket. */
  readonly waiting: number;
  /** How often something was written, to tell whether anything was since the last look. */
  readonly writes: number;
  publish(packet: OutboundPacket, packetId: number): void;
  acknowledge(bytes: AckBytes): void;
  write(bytes: Buffer): void;
  /** Gives the socket all there is, whether it is blocked or not; nothing once it is closed. */
  flush(): void;
}

/** Memory is taken from the system in pieces of this size; what is written is never written over. */
const SLAB = 64 * 1024;
/** Larger bodies are handed to the socket as they are instead of being copied. */
const COPIED = 8 * 1024;
/** Goes out before the turn has ended, to bound memory. */
const ENOUGH = 256 * 1024;
const NOTHING = Buffer.alloc(0);

/**
 * Makes the one writer of a socket.
 * @param handedOver called after everything written so far has been given to a socket that takes more.
 */
export function createOutgoing(socket: Writable, version: 5 | 3, handedOver: () => void): Outgoing {
  let slab = NOTHING;
  let start = 0;
  let at = 0;
  let parts: Uint8Array[] = [];
  let partBytes = 0;
  let blocked = false;
  let scheduled = false;
  let writes = 0;

  const seal = (): void => {
    if (at > start) add(slab.subarray(start, at));
    start = at;
  };
  const add = (part: Uint8Array): void => {
    parts.push(part);
    partBytes += part.length;
  };
  const room = (bytes: number): void => {
    if (at + bytes <= slab.length) return;
    seal();
    slab = Buffer.allocUnsafeSlow(Math.max(SLAB, bytes));
    start = 0;
    at = 0;
  };
  const schedule = (): void => {
    if (partBytes + at - start >= ENOUGH && !blocked) {
      flush();
      return;
    }
    if (scheduled) return;
    scheduled = true;
    setImmediate(endOfTurn);
  };
  const endOfTurn = (): void => {
    scheduled = false;
    if (!blocked) flush();
  };
  const flush = (): void => {
    seal();
    if (parts.length === 0) return;
    const list = parts;
    parts = [];
    partBytes = 0;
    // After its end a socket answers a write with an error, which would hide how it ended.
    if (!socket.writable) return;
    writes++;
    blocked = !writeAll(socket, list);
    if (!blocked) handedOver();
  };
  const drained = (): void => {
    blocked = false;
    if (partBytes + at - start > 0) flush();
    else handedOver();
  };
  socket.on('drain', drained);

  return {
    get blocked() {
      return blocked;
    },
    get writes() {
      return writes;
    },
    get waiting() {
      return partBytes + at - start;
    },
    publish({ topic, payload, qos, retain, properties }, packetId) {
      const copied = payload.length <= COPIED;
      const propertyBytes = properties?.length ?? 0;
      // A UTF-16 unit takes three bytes at most.
      room(5 + 2 + topic.length * 3 + 2 + 4 + propertyBytes + (copied ? payload.length : 0));
      const topicBytes = Buffer.byteLength(topic);
      const size = 2 + topicBytes + (qos > 0 ? 2 : 0) + payload.length;
      slab[at++] = 0x30 | (qos << 1) | (retain ? 1 : 0);
      at = putVarint(slab, at, version === 5 ? size + varintSize(propertyBytes) + propertyBytes : size);
      at = putUint16(slab, at, topicBytes);
      at += slab.write(topic, at, 'utf8');
      if (qos > 0) at = putUint16(slab, at, packetId);
      if (version === 5) at = putVarint(slab, at, propertyBytes);
      if (properties) at = put(slab, at, properties);
      if (copied) {
        at = put(slab, at, payload);
      } else {
        seal();
        add(payload);
      }
      schedule();
    },
    acknowledge(bytes) {
      room(4);
      at = slab.writeUInt32BE(bytes, at);
      schedule();
    },
    write(bytes) {
      room(bytes.length);
      at = put(slab, at, bytes);
      schedule();
    },
    flush,
  };
}

function put(into: Buffer, at: number, bytes: Uint8Array): number {
  into.set(bytes, at);
  return at + bytes.length;
}

function putUint16(into: Buffer, at: number, value: number): number {
  into[at] = value >> 8;
  into[at + 1] = value & 0xff;
  return at + 2;
}

function putVarint(into: Buffer, at: number, value: number): number {
  let [index, rest] = [at, value];
  for (; rest >= 128; rest >>>= 7) into[index++] = (rest & 0x7f) | 0x80;
  into[index++] = rest;
  return index;
}
