import { type HeaderValue, Rejected } from '@magpie/contract';
import type { Writer } from './writer.ts';

/** Maximum nesting of tables and lists. */
const MAX_DEPTH = 32;
/** Longest name in a table, in bytes: a short string (AMQP 0-9-1, 4.2.5.3). */
const NAME_BYTES = 255;

const TYPE = {
  text: 0x53, // S
  int8: 0x62, // b
  int16: 0x73, // s
  int32: 0x49, // I
  int64: 0x6c, // l
  double: 0x64, // d
  boolean: 0x74, // t
  nothing: 0x56, // V
  bytes: 0x78, // x
  list: 0x41, // A
  table: 0x46, // F
  timestamp: 0x54, // T
  decimal: 0x44, // D
} as const;

/**
 * Writes a header value with its type before it, as RabbitMQ reads them (its errata to 4.2.5.5). Throws `Rejected` for nesting
 * beyond 32 levels and for a name inside of more than 255 bytes.
 */
export function writeField(writer: Writer, value: HeaderValue | undefined, depth = 0): void {
  if (depth > MAX_DEPTH) throw new Rejected(`a header nested more than ${MAX_DEPTH} levels deep`);
  if (typeof value === 'string') writeTextField(writer, value);
  else if (typeof value === 'number') writeNumber(writer, value);
  else if (typeof value === 'boolean') {
    writer.byte(TYPE.boolean);
    writer.byte(value ? 1 : 0);
  } else if (value === null || value === undefined) writer.byte(TYPE.nothing);
  else if (value instanceof Uint8Array) writeBytesField(writer, value);
  else if (isList(value)) writeList(writer, value, depth);
  else if (!isTyped(writer, value)) writeTable(writer, value, depth);
}

/** A name in a table. Throws `Rejected` for one of more than 255 bytes; `where` ends the sentence. */
export function writeName(writer: Writer, name: string, where: string): void {
  if (name.length * 3 > NAME_BYTES && Buffer.byteLength(name) > NAME_BYTES) {
    throw new Rejected(`a ${where} of ${Buffer.byteLength(name)} bytes: AMQP takes at most ${NAME_BYTES}`);
  }
  writer.shortText(name);
}

/** A text value, of one part or two. */
export function writeTextField(writer: Writer, value: string, more = ''): void {
  writer.byte(TYPE.text);
  writer.longText(value, more);
}

/** A value of bytes. */
export function writeBytesField(writer: Writer, value: Uint8Array): void {
  writer.byte(TYPE.bytes);
  writer.uint32(value.length);
  writer.raw(value);
}

/** A list of values. */
export function writeList(writer: Writer, list: readonly HeaderValue[], depth = 0): void {
  writer.byte(TYPE.list);
  const from = writer.open();
  for (const item of list) writeField(writer, item, depth + 1);
  writer.close(from);
}

/**
 * Integers use the smallest signed type, as in other clients. RabbitMQ (Erlang) has no NaN or infinity and closes the
 * connection over one, so they are sent as text.
 */
export function writeNumber(writer: Writer, value: number): void {
  if (!Number.isFinite(value)) writeTextField(writer, String(value));
  else if (!Number.isSafeInteger(value) || Object.is(value, -0)) {
    writer.byte(TYPE.double);
    writer.double(value);
  } else if (value === (value << 24) >> 24) {
    writer.byte(TYPE.int8);
    writer.byte(value);
  } else if (value === (value << 16) >> 16) {
    writer.byte(TYPE.int16);
    writer.uint16(value);
  } else if (value === (value | 0)) {
    writer.byte(TYPE.int32);
    writer.uint32(value);
  } else {
    writer.byte(TYPE.int64);
    writer.int64(value);
  }
}

type FieldTable = { readonly [name: string]: HeaderValue };

const isList = (value: HeaderValue): value is readonly HeaderValue[] => Array.isArray(value);

const isTable = (value: HeaderValue | undefined): value is FieldTable =>
  typeof value === 'object' && value !== null && !isList(value) && !(value instanceof Uint8Array);

/** Writes types that JavaScript lacks: `{ '!': type, value }`, as they are received. False for all other values. */
function isTyped(writer: Writer, { '!': type, value }: FieldTable): boolean {
  if (type === 'timestamp' && isUint(value, Number.MAX_SAFE_INTEGER)) {
    writer.byte(TYPE.timestamp);
    writer.int64(value);
    return true;
  }
  if (type !== 'decimal' || !isTable(value)) return false;
  const { places, digits } = value;
  if (!isUint(places, 0xff) || !isUint(digits, 0xffff_ffff)) return false;
  writer.byte(TYPE.decimal);
  writer.byte(places);
  writer.uint32(digits);
  return true;
}

const isUint = (value: unknown, most: number): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= most;

function writeTable(writer: Writer, table: FieldTable, depth: number): void {
  writer.byte(TYPE.table);
  const from = writer.open();
  for (const [name, inner] of Object.entries(table)) {
    // amqplib, which other clients use, gives a key "!" a meaning of its own.
    writeName(writer, name === '!' ? '%21' : name, 'name inside a header');
    writeField(writer, inner, depth + 1);
  }
  writer.close(from);
}
