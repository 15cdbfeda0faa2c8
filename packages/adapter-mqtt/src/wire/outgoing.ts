import type { Writable } from 'node:stream';
import { isCopied, TurnWriter } from '@magpie/adapter-kit';
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

/**
 * Acknowledgement types with their remaining length. Two bytes mean success in MQTT 3.1.1 and 5 alike (MQTT 5 section
 * 3.4.2.1).
 */
const ACK = { puback: 0x4002, pubrec: 0x5002, pubrel: 0x6202, pubcomp: 0x7002 } as const;

/** A successful acknowledgement. Never 0. */
export const ackBytes = (type: keyof typeof ACK, packetId: number): AckBytes => ACK[type] * 0x1_0000 + packetId;

/** Writes to a socket; all writes of one turn of the event loop become one call. */
export interface Outgoing extends Pick<TurnWriter, 'blocked' | 'waiting' | 'writes' | 'flush'> {
  publish(packet: OutboundPacket, packetId: number): void;
  acknowledge(bytes: AckBytes): void;
  write(bytes: Buffer): void;
}

/**
 * Makes the one writer of a socket.
 * @param handedOver called when everything written was handed to the socket and it accepts more.
 */
export const createOutgoing = (socket: Writable, version: 5 | 3, handedOver: () => void): Outgoing =>
  new PacketWriter(socket, version, handedOver);

/** Bytes of a PUBLISH besides topic, properties and payload, at the most: header, lengths and packet id. */
const AROUND = 5 + 2 + 2 + 4;

class PacketWriter extends TurnWriter implements Outgoing {
  readonly #version: 5 | 3;

  constructor(socket: Writable, version: 5 | 3, handedOver: () => void) {
    super(socket, { bytes: Buffer.alloc(0), at: 0 }, { handedOver });
    this.#version = version;
  }

  publish({ topic, payload, qos, retain, properties }: OutboundPacket, packetId: number): void {
    const { slab } = this;
    const propertyBytes = properties?.length ?? 0;
    // A UTF-16 unit takes three bytes at most.
    this.room(AROUND + topic.length * 3 + propertyBytes + (isCopied(payload.length) ? payload.length : 0));
    const { bytes } = slab;
    const topicBytes = Buffer.byteLength(topic);
    const size = 2 + topicBytes + (qos > 0 ? 2 : 0) + payload.length;
    let { at } = slab;
    bytes[at++] = 0x30 | (qos << 1) | (retain ? 1 : 0);
    at = putVarint(bytes, at, this.#version === 5 ? size + varintSize(propertyBytes) + propertyBytes : size);
    at = putUint16(bytes, at, topicBytes);
    at += bytes.write(topic, at, 'utf8');
    if (qos > 0) at = putUint16(bytes, at, packetId);
    if (this.#version === 5) at = putVarint(bytes, at, propertyBytes);
    if (properties) {
      bytes.set(properties, at);
      at += propertyBytes;
    }
    slab.at = at;
    this.add(payload);
    this.schedule();
  }

  acknowledge(ack: AckBytes): void {
    this.room(4);
    this.slab.at = this.slab.bytes.writeUInt32BE(ack, this.slab.at);
    this.schedule();
  }

  write(bytes: Buffer): void {
    this.add(bytes);
    this.schedule();
  }
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
