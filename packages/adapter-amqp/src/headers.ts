import { type Header, type HeaderValue, Rejected, TooLarge } from '@magpie/contract';
import { isForwarded } from './reserved.ts';

/** A field table as amqplib takes and gives it. Without a prototype, so that no header name is special. */
export type Table = Record<string, unknown>;

/** Most bytes of an encoded header table; amqplib and brokers give up at one frame or 64 KiB. */
export const TABLE_BYTES = 32 * 1024;

const MAX_DEPTH = 32;

/** A table without a prototype, so that a header may have any name. */
export const emptyTable = (): Table => Object.create(null);

/** Header names that cannot be one: a table key is a short string. */
const fits = (name: string): boolean => Buffer.byteLength(name) <= 255;

/**
 * Adds an event's headers to a table. A table has each name once: values of a repeated name become one list. Headers of
 * reserved or steering names are left out. Throws `Rejected` for a name of more than 255 bytes or nesting beyond 32 levels,
 * `TooLarge` beyond 32 KiB.
 */
export function writeHeaders(table: Table, headers: readonly Header[]): void {
  if (headers.length === 0) return;
  const repeated = new Set<string>();
  let room = TABLE_BYTES;
  for (const [name, value] of headers) {
    if (!isForwarded(name)) continue;
    if (!fits(name)) throw new Rejected(`a header name of ${Buffer.byteLength(name)} bytes: AMQP takes at most 255`);
    const field = toField(value, 0);
    room -= Buffer.byteLength(name) + sizeOf(field);
    if (room < 0) throw new TooLarge(`headers of more than ${TABLE_BYTES} bytes: AMQP carries them in one frame`);
    addField(table, repeated, name, field);
  }
}

function addField(table: Table, repeated: Set<string>, name: string, field: unknown): void {
  const before = table[name];
  if (before === undefined) table[name] = field;
  else if (repeated.has(name) && Array.isArray(before)) before.push(field);
  else {
    repeated.add(name);
    table[name] = [before, field];
  }
}

/** A value as amqplib encodes it without guessing wrong or throwing. */
function toField(value: HeaderValue, depth: number): unknown {
  if (depth > MAX_DEPTH) throw new Rejected(`a header nested more than ${MAX_DEPTH} levels deep`);
  if (typeof value === 'string') return value.toWellFormed();
  if (typeof value === 'number') return numberField(value);
  if (typeof value === 'boolean' || value === null) return value;
  if (value instanceof Uint8Array) return asBuffer(value);
  if (isList(value)) return value.map((item) => toField(item, depth + 1));
  return typedField(value) ?? tableField(value, depth);
}

const isList = (value: HeaderValue): value is readonly HeaderValue[] => Array.isArray(value);

/**
 * amqplib writes integers in the smallest signed type and fails on those outside int64. RabbitMQ (Erlang) knows no NaN and
 * no infinity and closes the whole connection over one, so they travel as text.
 */
function numberField(value: number): unknown {
  if (!Number.isFinite(value)) return String(value);
  return Number.isSafeInteger(value) && !Object.is(value, -0) ? value : { '!': 'double', value };
}

/** `{ '!': type, value }` is how amqplib shows types without a JavaScript one; these two pass through unchanged. */
function typedField(value: { readonly [name: string]: HeaderValue }): unknown {
  const { '!': type, value: inner } = value;
  if (type === 'timestamp' && Number.isSafeInteger(inner) && Number(inner) >= 0) return { '!': type, value: inner };
  if (type !== 'decimal' || !isRecord(inner)) return undefined;
  const { places, digits } = inner;
  return isUint(places, 0xff) && isUint(digits, 0xffff_ffff) ? { '!': type, value: { places, digits } } : undefined;
}

const isUint = (value: unknown, most: number): boolean =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= most;

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array);

function tableField(value: { readonly [name: string]: HeaderValue }, depth: number): Table {
  const table = emptyTable();
  for (const [name, inner] of Object.entries(value)) {
    if (!fits(name))
      throw new Rejected(`a name of ${Buffer.byteLength(name)} bytes inside a header: AMQP takes at most 255`);
    // amqplib takes a key "!" for a type of its own, whatever it holds.
    table[name === '!' ? '%21' : name] = toField(inner, depth + 1);
  }
  return table;
}

function sizeOf(field: unknown): number {
  if (typeof field === 'string') return 5 + Buffer.byteLength(field);
  if (field instanceof Uint8Array) return 5 + field.byteLength;
  if (Array.isArray(field)) return field.reduce<number>((sum, item) => sum + sizeOf(item), 5);
  if (!isRecord(field)) return 9;
  return Object.entries(field).reduce((sum, [name, inner]) => sum + 1 + Buffer.byteLength(name) + sizeOf(inner), 5);
}

const asBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/**
 * A received table's value as a header value; total. Integers beyond 2^53 become text, of which the client library has
 * already rounded the last digits. What is nested too deep, or of no known type, becomes null.
 */
export function fromField(value: unknown, depth = 0): HeaderValue {
  if (depth > MAX_DEPTH) return null;
  if (typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number') return fromNumber(value);
  // A copy: the library's buffer is a slice of the frame, which would stay in memory as long as the header.
  if (value instanceof Uint8Array) return new Uint8Array(value);
  if (Array.isArray(value)) return value.map((item) => fromField(item, depth + 1));
  return isRecord(value) ? fromTable(value, depth) : null;
}

const fromNumber = (value: number): HeaderValue =>
  Number.isInteger(value) && !Number.isSafeInteger(value) && Math.abs(value) < 2 ** 64
    ? BigInt(value).toString()
    : value;

function fromTable(value: Readonly<Record<string, unknown>>, depth: number): HeaderValue {
  const table: Record<string, HeaderValue> = Object.create(null);
  for (const [name, inner] of Object.entries(value)) table[name] = fromField(inner, depth + 1);
  return { ...table };
}
