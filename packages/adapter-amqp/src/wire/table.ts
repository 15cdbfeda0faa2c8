import { Malformed } from '@magpie/adapter-kit';
import type { FrameCursor } from './cursor.ts';

/** A field table as it was received. Values are as `readField` makes them. */
export type Table = Record<string, unknown>;

/** Maximum nesting of tables and arrays; deeper values can only be malicious and are skipped. */
const MAX_DEPTH = 128;

/** Reads a field table with the length before it. */
export function readTable(cursor: FrameCursor, depth = 0): Table {
  const end = endOf(cursor);
  const table: Table = {};
  while (cursor.at < end) {
    const name = cursor.frequentShortText();
    const value = readField(cursor, depth);
    // Assigning this one would set the prototype.
    if (name === '__proto__') Object.defineProperty(table, name, { value, enumerable: true, configurable: true });
    else table[name] = value;
  }
  return finished(cursor, end, table);
}

/**
 * Reads a value with its type before it, as RabbitMQ writes them (its errata to 4.2.5.5). Integers beyond 2^53 become
 * text; timestamps and decimals, for which JavaScript has no type, become `{ '!': type, value }`, values nested too
 * deep become null, because the broker redelivers a message until it is accepted.
 */
function readField(cursor: FrameCursor, depth: number): unknown {
  const type = cursor.byte();
  switch (type) {
    case 0x53: // S
      return cursor.longText();
    case 0x49: // I
      return cursor.int32();
    case 0x6c: // l
      return wholeNumber(cursor);
    case 0x74: // t
      return cursor.byte() !== 0;
    case 0x56: // V
      return null;
    case 0x62: // b
      return cursor.int8();
    case 0x73: // s
      return cursor.int16();
    case 0x64: // d
      return cursor.double();
    case 0x78: // x
      return readBytes(cursor);
    default:
      return readRare(type, cursor, depth);
  }
}

function readRare(type: number, cursor: FrameCursor, depth: number): unknown {
  switch (type) {
    case 0x41: // A
      return depth < MAX_DEPTH ? readArray(cursor, depth + 1) : passOver(cursor);
    case 0x46: // F
      return depth < MAX_DEPTH ? readTable(cursor, depth + 1) : passOver(cursor);
    case 0x42: // B
      return cursor.byte();
    case 0x75: // u
      return cursor.uint16();
    case 0x69: // i
      return cursor.uint32();
    case 0x66: // f
      return cursor.float();
    case 0x54: // T
      return { '!': 'timestamp', value: cursor.uint64() };
    case 0x44: // D
      return { '!': 'decimal', value: { places: cursor.byte(), digits: cursor.uint32() } };
    default:
      throw new Malformed(`a table with a value of the unknown type ${type}`);
  }
}

function readArray(cursor: FrameCursor, depth: number): unknown[] {
  const end = endOf(cursor);
  const list: unknown[] = [];
  while (cursor.at < end) list.push(readField(cursor, depth));
  return finished(cursor, end, list);
}

function passOver(cursor: FrameCursor): null {
  cursor.skip(cursor.uint32());
  return null;
}

function endOf(cursor: FrameCursor): number {
  const length = cursor.uint32();
  if (cursor.at + length > cursor.end) throw new Malformed('a table that ends after its frame');
  return cursor.at + length;
}

function finished<T>(cursor: FrameCursor, end: number, value: T): T {
  if (cursor.at > end) throw new Malformed('a table whose last value ends after it');
  return value;
}

function wholeNumber(cursor: FrameCursor): number | string {
  const { at } = cursor;
  const value = cursor.int64();
  return Number.isSafeInteger(value) ? value : cursor.bytes.readBigInt64BE(at).toString();
}

/** A view of what was received. */
function readBytes(cursor: FrameCursor): Uint8Array {
  const length = cursor.uint32();
  const from = cursor.skip(length);
  return cursor.bytes.subarray(from, from + length);
}
