import { bytesToText, type HeaderValue } from '@magpie/contract';
import { Optional } from '@marcbachmann/cel-js';
import { Duration, UnsignedInt } from '@marcbachmann/cel-js/evaluator';

/** A result that has no form outside of expressions; the message says which and what to do. */
export class Unrepresentable extends Error {
  override readonly name = 'Unrepresentable';
}

/** Deepest nesting of a value that leaves an expression; JSON from outside may be nested half a million deep. */
const MAX_DEPTH = 256;
const LARGEST = BigInt(Number.MAX_SAFE_INTEGER);

/** An integer as a number where that is exact, else as its digits: consumers of JSON would round it silently. */
const integer = (value: bigint): number | string =>
  value <= LARGEST && value >= -LARGEST ? Number(value) : value.toString();

/**
 * A result of an expression as a plain value: integers as numbers (digits as text beyond 2^53), lists and maps as arrays
 * and objects, times in RFC 3339, durations like `1.5s`, bytes kept. Throws `Unrepresentable` for what has no such form
 * (an empty optional, a type, infinity).
 */
export const toPlain = (value: unknown): HeaderValue => plainAt(value, MAX_DEPTH);

function plainAt(value: unknown, depth: number): HeaderValue {
  switch (typeof value) {
    case 'string':
      return value.toWellFormed();
    case 'boolean':
      return value;
    case 'bigint':
      return integer(value);
    case 'number':
      if (!Number.isFinite(value)) throw new Unrepresentable(`the result is ${value}, which is no JSON number`);
      return value;
    case 'object':
      return value === null ? null : objectToPlain(value, depth - 1);
    default:
      throw new Unrepresentable(`the result is of type ${typeof value}, which cannot be sent`);
  }
}

function objectToPlain(value: object, depth: number): HeaderValue {
  if (depth < 0) throw new Unrepresentable(`the result is nested more than ${MAX_DEPTH} deep`);
  if (value instanceof Uint8Array) return value;
  if (value instanceof Date) return dateToPlain(value);
  if (value instanceof Duration) return value.toString();
  if (value instanceof UnsignedInt) return integer(value.valueOf());
  if (value instanceof Optional) return optionalToPlain(value, depth);
  if (Array.isArray(value) || value instanceof Set)
    return Array.from<unknown, HeaderValue>(value, (inner) => plainAt(inner, depth));
  if (value instanceof Map) return entriesToPlain([...value], depth);
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) return entriesToPlain(Object.entries(value), depth);
  throw new Unrepresentable('the result is a type name, which cannot be sent; use string(…)');
}

function dateToPlain(value: Date): string {
  if (Number.isNaN(value.getTime())) throw new Unrepresentable('the result is no valid time');
  return value.toISOString();
}

function optionalToPlain(value: Optional, depth: number): HeaderValue {
  if (value.hasValue()) return plainAt(value.value(), depth);
  throw new Unrepresentable('the result is an empty optional; say what to use instead with .orValue(…)');
}

const entriesToPlain = (entries: readonly (readonly [unknown, unknown])[], depth: number): HeaderValue =>
  Object.fromEntries(
    entries
      .filter(([, inner]) => inner !== undefined)
      .map(([name, inner]) => [toText(plainAt(name, depth)), plainAt(inner, depth)]),
  );

/** A plain value inside a JSON body: bytes become base64 text. */
export function toJsonValue(value: HeaderValue): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (Array.isArray(value)) return value.map(toJsonValue);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, toJsonValue(inner)]));
}

/**
 * A plain value inside text: `null` as "null" (never as nothing), numbers as JavaScript writes them (5, not 5.0), lists
 * and maps as JSON, bytes as their UTF-8 text or `base64:…`.
 */
export function toText(value: HeaderValue): string {
  if (typeof value === 'string') return value;
  if (value instanceof Uint8Array) return bytesToText(value);
  return typeof value === 'object' ? JSON.stringify(toJsonValue(value)) : String(value);
}
