import { type Header, type HeaderValue, TooLarge } from '@magpie/contract';
import { writeField, writeList, writeName } from '../wire/fields.ts';
import type { Writer } from '../wire/writer.ts';
import { isForwarded } from './reserved.ts';

/** Maximum size of an event's headers, bytes: they must fit into one frame together with our own headers. */
export const TABLE_BYTES = 32 * 1024;

const MAX_DEPTH = 32;

/**
 * Writes an event's headers into a table that is being written. A table has each name once: values of a repeated name become
 * one list. Headers of reserved or steering names are left out. Throws `Rejected` for a name of more than 255 bytes or nesting
 * beyond 32 levels, `TooLarge` beyond 32 KiB.
 */
export function writeHeaders(writer: Writer, headers: readonly Header[]): void {
  const from = writer.at;
  const most = from + TABLE_BYTES;
  for (const [index, [name, value]] of headers.entries()) {
    if (!isForwarded(name)) continue;
    const values = headers.length === 1 ? 1 : countOf(headers, index);
    if (values === 0) continue;
    writeName(writer, name, 'header name');
    if (values === 1) writeField(writer, value);
    else writeList(writer, valuesOf(headers, name), -1);
    if (writer.at > most) {
      throw new TooLarge(`headers of more than ${TABLE_BYTES} bytes: AMQP carries them in one frame`);
    }
  }
}

/** How often the name of a header occurs; 0 when it has occurred before. There are few headers. */
function countOf(headers: readonly Header[], index: number): number {
  const name = headers[index]![0];
  let count = 0;
  for (let other = 0; other < headers.length; other++) {
    if (headers[other]![0] !== name) continue;
    if (other < index) return 0;
    count++;
  }
  return count;
}

const valuesOf = (headers: readonly Header[], name: string): HeaderValue[] =>
  headers.filter(([other]) => other === name).map(([, value]) => value);

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array);

/** A received table's value as a header value; total. Values nested too deep or of an unknown type become null. */
export function fromField(value: unknown, depth = 0): HeaderValue {
  if (depth > MAX_DEPTH) return null;
  if (typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number') return fromNumber(value);
  // A copy: a view would keep the whole received chunk in memory.
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
