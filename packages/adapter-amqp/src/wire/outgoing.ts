import type { Writable } from 'node:stream';
import { writeAll } from '@magpie/contract';
import { FRAME, FRAME_AROUND, METHOD } from './frames.ts';
import { FULL, Writer } from './writer.ts';

/** Writes messages and acknowledgements to a socket: everything of one turn of the event loop in one go. */
export interface Outgoing {
  /**
   * Writes a message. `write` writes its method and header frame; it may run again, with more memory. What it throws is
   * thrown on, and nothing was written then; a `RangeError` says that it found no room in any memory.
   */
  publish(channel: number, write: (writer: Writer) => void, body: Uint8Array): void;
  /** Acknowledges everything up to a delivery tag. Of those of one turn the last is told. */
  acknowledge(channel: number, upTo: number): void;
  /** Gives the socket all there is, for what the library writes after it; nothing once it is closed. */
  flush(): void;
}

/** Memory is taken from the system in pieces of this size; what is written is never written over. */
const SLAB = 64 * 1024;
/** A slab with less room than this is given up: most messages fit into it. */
const ENOUGH_ROOM = 2048;
/** Room for every method and header frame that can be sent. */
const LARGEST = 160 * 1024;
/** Larger bodies are handed to the socket as they are instead of being copied. */
const COPIED = 8 * 1024;
/** Goes out before the turn has ended, to bound memory. */
const ENOUGH = 256 * 1024;
const ACK_BYTES = 13 + FRAME_AROUND;
const NOTHING = Buffer.alloc(0);

/** Makes the one writer of a socket; `frameMax` is what was agreed upon with the broker. */
export function createOutgoing(socket: Writable, frameMax: number): Outgoing {
  const writer = new Writer(NOTHING);
  let start = 0;
  let parts: Uint8Array[] = [];
  let partBytes = 0;
  let blocked = false;
  let scheduled = false;
  /** The highest tag of each channel that is still to be acknowledged. */
  const acks = new Map<number, number>();

  const add = (part: Uint8Array): void => {
    parts.push(part);
    partBytes += part.length;
  };
  const seal = (): void => {
    if (writer.at > start) add(writer.bytes.subarray(start, writer.at));
    start = writer.at;
  };
  const renew = (bytes: number): void => {
    seal();
    writer.bytes = Buffer.allocUnsafeSlow(bytes);
    writer.at = 0;
    start = 0;
  };
  const secure = (bytes: number): void => {
    if (writer.at + bytes > writer.bytes.length) renew(Math.max(SLAB, bytes));
  };
  const writeAcks = (): void => {
    for (const [channel, upTo] of acks) {
      secure(ACK_BYTES);
      frameHead(writer, FRAME.method, channel, ACK_BYTES - FRAME_AROUND);
      writer.uint32(METHOD.ack);
      writer.int64(upTo);
      writer.byte(1);
      writer.byte(FRAME.end);
    }
    acks.clear();
  };
  const flush = (): void => {
    if (acks.size > 0) writeAcks();
    seal();
    if (parts.length === 0) return;
    const list = parts;
    parts = [];
    partBytes = 0;
    // After its end a socket answers a write with an error, which would hide how it ended.
    if (socket.writable) blocked = !writeAll(socket, list);
  };
  const endOfTurn = (): void => {
    scheduled = false;
    if (!blocked) flush();
  };
  const schedule = (): void => {
    if (partBytes + writer.at - start >= ENOUGH && !blocked) flush();
    else if (!scheduled) {
      scheduled = true;
      setImmediate(endOfTurn);
    }
  };
  /** Runs `write`, and once more with memory that is large enough for everything. */
  const attempt = (write: (writer: Writer) => void, isLast: boolean): void => {
    const { at } = writer;
    try {
      write(writer);
    } catch (error) {
      writer.at = at;
      if (error !== FULL) throw error;
      if (isLast) throw new RangeError('a frame larger than the memory for it', { cause: error });
      renew(LARGEST);
      attempt(write, true);
    }
  };
  const bodyFrames = (channel: number, body: Uint8Array): void => {
    const most = frameMax - FRAME_AROUND;
    for (let at = 0; at < body.length; at += most) {
      const piece = body.length <= most ? body : body.subarray(at, at + most);
      const copied = piece.length <= COPIED;
      secure(FRAME_AROUND + (copied ? piece.length : 0));
      frameHead(writer, FRAME.body, channel, piece.length);
      if (copied) writer.raw(piece);
      else {
        seal();
        add(piece);
      }
      secure(1);
      writer.byte(FRAME.end);
    }
  };
  socket.on('drain', () => {
    blocked = false;
    flush();
  });

  return {
    publish(channel, write, body) {
      secure(ENOUGH_ROOM);
      attempt(write, false);
      bodyFrames(channel, body);
      schedule();
    },
    acknowledge(channel, upTo) {
      acks.set(channel, upTo);
      schedule();
    },
    flush,
  };
}

/** The beginning of a frame of `size` bytes. */
export function frameHead(writer: Writer, type: number, channel: number, size: number): void {
  writer.byte(type);
  writer.uint16(channel);
  writer.uint32(size);
}
