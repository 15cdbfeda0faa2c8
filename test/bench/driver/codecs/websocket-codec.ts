import { findSequence, SEQUENCE_SPAN } from '../body.ts';

/** Opcodes. */
export const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9 } as const;

/** A client's frame; the mask is zero, which costs nothing and is allowed to be. */
export function clientFrame(opcode: number, payload: Buffer): Buffer {
  const extended = payload.length > 125;
  const head = Buffer.alloc(extended ? 8 : 6);
  head[0] = 0x80 | opcode;
  head[1] = 0x80 | (extended ? 126 : payload.length);
  if (extended) head.writeUInt16BE(payload.length, 2);
  return Buffer.concat([head, payload]);
}

/** Whom the reader tells. */
export interface StreamReader {
  sequence(sequence: number): void;
  /** A ping to be answered with the same payload. */
  ping(payload: Buffer): void;
  /** The server ends the connection. */
  close(): void;
}

/**
 * Reads a server's frames of any size without keeping them: it finds only the sequence numbers in data frames, also
 * where a number is cut in two by the end of a read. Returns the function that takes each read.
 */
export function streamReader(reader: StreamReader): (bytes: Buffer) => void {
  let head: Buffer | undefined;
  let left = 0;
  let opcode = 0;
  let tail: Buffer = EMPTY;
  let control: Buffer = EMPTY;

  const part = (bytes: Buffer): void => {
    left -= bytes.length;
    if (opcode < OPCODE.close) {
      tail = scan(tail, bytes, reader.sequence);
      if (left === 0) tail = EMPTY;
      return;
    }
    control = Buffer.concat([control, bytes]);
    if (left > 0) return;
    endControl();
  };
  const endControl = (): void => {
    if (opcode === OPCODE.ping) reader.ping(control);
    if (opcode === OPCODE.close) reader.close();
    control = EMPTY;
  };

  return (chunk) => {
    let bytes = chunk;
    if (head) {
      bytes = Buffer.concat([head, chunk]);
      head = undefined;
    }
    let at = 0;
    while (at < bytes.length) {
      if (left === 0) {
        const size = headSize(bytes, at);
        if (size < 0) {
          head = Buffer.from(bytes.subarray(at));
          return;
        }
        opcode = bytes[at]! & 15;
        left = payloadLength(bytes, at);
        at += size;
        if (left === 0 && opcode >= OPCODE.close) endControl();
        continue;
      }
      const end = Math.min(bytes.length, at + left);
      part(bytes.subarray(at, end));
      at = end;
    }
  };
}

const EMPTY = Buffer.alloc(0);

/** Looks for numbers in a part of a payload; returns the end of it, where one may have begun. */
function scan(before: Buffer, bytes: Buffer, found: (sequence: number) => void): Buffer {
  const all = before.length > 0 ? Buffer.concat([before, bytes]) : bytes;
  let known = false;
  let after = 0;
  const find = (sequence: number): void => {
    known = true;
    found(sequence);
  };
  for (let at = 0; at >= 0; ) {
    at = findSequence(all, at, find);
    // A word whose digits are still to come is looked at again.
    if (known) after = at;
    known = false;
  }
  return Buffer.from(all.subarray(Math.max(after, all.length - SEQUENCE_SPAN)));
}

function headSize(bytes: Buffer, at: number): number {
  const short = bytes[at + 1];
  if (short === undefined) return -1;
  const size = short === 127 ? 10 : short === 126 ? 4 : 2;
  return bytes.length - at < size ? -1 : size;
}

function payloadLength(bytes: Buffer, at: number): number {
  const short = bytes[at + 1]! & 127;
  if (short === 126) return bytes.readUInt16BE(at + 2);
  return short === 127 ? Number(bytes.readBigUInt64BE(at + 2)) : short;
}
