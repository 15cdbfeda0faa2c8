import { Malformed } from '@magpie/adapter-kit';
import { errorMessage } from '@magpie/contract';
import { PacketCursor } from './cursor.ts';
import { type ControlPacket, type InboundPacket, readControl, readPacketId, TYPE } from './packets.ts';
import { readProperties } from './properties.ts';

/** Receives packets one by one, in order. Its methods must not throw. */
export interface PacketHandler {
  publish(packet: InboundPacket): void;
  control(packet: ControlPacket): void;
  /** Called for a malformed packet; nothing follows. `problem` completes the sentence "the broker sent …". */
  malformed(problem: string): void;
  /** Called for a packet above the limit; nothing follows. */
  tooLarge(bytes: number): void;
}

/** Cuts received bytes into packets. */
export interface Parser {
  /** Takes the next chunk, which must not be changed afterwards. Total: never throws. */
  push(chunk: Buffer): void;
  /** Stops at once, even within a chunk. */
  stop(): void;
}

/** A packet that has not arrived in full. */
interface Partial {
  readonly bytes: Buffer;
  /** Number of bytes received. */
  filled: number;
  readonly bodyAt: number;
}

const NOTHING: Buffer = Buffer.alloc(0);

/**
 * A parser for one link. Buffers at most one packet, and refuses one above `maxPacketBytes` as soon as its length is
 * known.
 */
export function createParser(version: 5 | 3, maxPacketBytes: number, handler: PacketHandler): Parser {
  const cursor = new PacketCursor();
  let partial: Partial | undefined;
  let header = NOTHING;
  let stopped = false;

  const packet = (bytes: Buffer, at: number, body: number, end: number): void => {
    const first = bytes[at]!;
    cursor.reset(bytes, body, end);
    if (first >> 4 === TYPE.publish) handler.publish(readPublish(first, cursor, version));
    else handler.control(readControl(first, cursor, version));
  };
  /** Continues a packet begun by an earlier chunk. @returns how many bytes of the chunk belong to it. */
  const complete = (unfinished: Partial, chunk: Buffer): number => {
    const { bytes, bodyAt } = unfinished;
    const taken = chunk.copy(bytes, unfinished.filled);
    unfinished.filled += taken;
    if (unfinished.filled === bytes.length) {
      partial = undefined;
      packet(bytes, 0, bodyAt, bytes.length);
    }
    return taken;
  };
  /** Reads the packet at `at`, or keeps its beginning. @returns the offset of the next packet. */
  const next = (chunk: Buffer, at: number): number => {
    const body = bodyStart(chunk, at);
    if (body === undefined) {
      header = chunk.subarray(at);
      return chunk.length;
    }
    const end = body + lengthOf(chunk, at, body);
    if (end - at > maxPacketBytes) {
      stopped = true;
      handler.tooLarge(end - at);
    } else if (end <= chunk.length) {
      packet(chunk, at, body, end);
    } else {
      partial = { bytes: Buffer.allocUnsafeSlow(end - at), filled: chunk.length - at, bodyAt: body - at };
      chunk.copy(partial.bytes, 0, at);
    }
    return end;
  };
  const read = (received: Buffer): void => {
    let at = partial ? complete(partial, received) : 0;
    let chunk = received;
    if (header.length > 0) {
      chunk = Buffer.concat([header, received]);
      header = NOTHING;
    }
    while (at < chunk.length && !stopped) at = next(chunk, at);
  };
  return {
    push(chunk) {
      if (stopped) return;
      try {
        read(chunk);
      } catch (error) {
        stopped = true;
        handler.malformed(error instanceof Malformed ? error.message : `an unreadable packet: ${errorMessage(error)}`);
      }
    },
    stop() {
      stopped = true;
    },
  };
}

/** Where the body of the packet at `at` begins; undefined while its length has not arrived. @throws Malformed */
function bodyStart(chunk: Buffer, at: number): number | undefined {
  for (let index = at + 1; index < chunk.length; index++) {
    if (chunk[index]! < 0x80) return index + 1;
    if (index === at + 4) throw new Malformed('a packet whose length has more than four bytes');
  }
  return undefined;
}

function lengthOf(chunk: Buffer, at: number, body: number): number {
  let length = 0;
  for (let index = body - 1; index > at; index--) length = length * 128 + (chunk[index]! & 0x7f);
  return length;
}

function readPublish(first: number, cursor: PacketCursor, version: 5 | 3): InboundPacket {
  const qos = (first >> 1) & 3;
  if (qos === 3) throw new Malformed('a PUBLISH of QoS 3 [MQTT-3.3.1-4]');
  const topic = cursor.topic();
  const packetId = qos === 0 ? 0 : readPacketId(cursor);
  const properties = version === 5 ? readProperties(cursor) : undefined;
  // We announced no aliases, so a topic must not be replaced by one or be empty.
  if (properties?.topicAlias !== undefined)
    throw new Malformed('a topic alias, although we accept none [MQTT-3.3.2-9]');
  if (topic === '') throw new Malformed('a PUBLISH without a topic [MQTT-4.7.3-1]');
  return {
    topic,
    payload: payloadOf(cursor.bytes, cursor.at, cursor.end),
    qos: qos === 1 ? 1 : qos === 0 ? 0 : 2,
    retain: (first & 1) === 1,
    dup: (first & 8) === 8,
    packetId,
    properties,
  };
}

/** The body: a copy, unless it is a large part of the memory that a view would keep alive. */
function payloadOf(bytes: Buffer, from: number, to: number): Uint8Array {
  if (from === to) return NOTHING;
  const view = bytes.subarray(from, to);
  return (to - from) * 4 >= bytes.buffer.byteLength ? view : Buffer.from(view);
}
