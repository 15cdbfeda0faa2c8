import { bytesToText, type HeaderValue, JsonNumber } from '@magpie/contract';
import { Optional } from '@marcbachmann/cel-js';
import { Duration, UnsignedInt } from '@marcbachmann/cel-js/evaluator';
import { produce, spend } from './budget.ts';

/** A result that has no form outside of expressions; the message says which and what to do. */
export class Unrepresentable extends Error {
  override readonly name = 'Unrepresentable';
}

/** Deepest nesting of a value that leaves an expression; JSON from outside may be nested half a million deep. */
const MAX_DEPTH = 256;
const LARGEST = BigInt(Number.MAX_SAFE_INTEGER);

/** A value that has left the language: what JSON knows, and bytes. Numbers that no double holds keep their digits. */
export type PlainValue =
  | string
  | number
  | boolean
  | null
  | JsonNumber
  | Uint8Array
  | readonly PlainValue[]
  | { readonly [name: string]: PlainValue };

/** An integer as a number where that is exact, else with its digits. */
const integer = (value: bigint): number | JsonNumber =>
  value <= LARGEST && value >= -LARGEST ? Number(value) : new JsonNumber(value.toString());

/**
 * A result of an expression as a plain value: integers as numbers where that is exact, lists and maps as arrays and objects,
 * times in RFC 3339, durations like `1.5s`, bytes kept. Throws `Unrepresentable` for what has no such form (an empty
 * optional, a type, infinity), `BeyondBudget` once the message cannot hold it any more.
 */
export const toPlain = (value: unknown): PlainValue => plainAt(value, MAX_DEPTH);

function plainAt(value: unknown, depth: number): PlainValue {
  switch (typeof value) {
    case 'string':
      produce(value.length);
      return value.toWellFormed();
    case 'boolean':
      produce(1);
      return value;
    case 'bigint':
      produce(1);
      return integer(value);
    case 'number':
      produce(1);
      if (!Number.isFinite(value)) throw new Unrepresentable(`the result is ${value}, which is no JSON number`);
      return value;
    case 'object':
      if (value !== null) return objectToPlain(value, depth - 1);
      produce(1);
      return null;
    default:
      throw new Unrepresentable(`the result is of type ${typeof value}, which cannot be sent`);
  }
}

function objectToPlain(value: object, depth: number): PlainValue {
  produce(2);
  if (depth < 0) throw new Unrepresentable(`the result is nested more than ${MAX_DEPTH} deep`);
  if (value instanceof Uint8Array || value instanceof JsonNumber) return counted(value);
  if (value instanceof Date) return dateToPlain(value);
  if (value instanceof Duration) return durationToPlain(value);
  if (value instanceof UnsignedInt) return integer(value.valueOf());
  if (value instanceof Optional) return optionalToPlain(value, depth);
  if (Array.isArray(value) || value instanceof Set)
    return Array.from<unknown, PlainValue>(value, (inner) => plainAt(inner, depth));
  if (value instanceof Map) return entriesToPlain([...value], depth);
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) return entriesToPlain(Object.entries(value), depth);
  throw new Unrepresentable('the result is a type name, which cannot be sent; use string(…)');
}

function counted(value: Uint8Array | JsonNumber): Uint8Array | JsonNumber {
  produce(value instanceof JsonNumber ? value.digits.length : value.length);
  return value;
}

function dateToPlain(value: Date): string {
  if (Number.isNaN(value.getTime())) throw new Unrepresentable('the result is no valid time');
  return value.toISOString();
}

/** What the library takes to write the fraction of a second. */
const FRACTION_STEPS = 200;

function durationToPlain(value: Duration): string {
  if (value.nanos !== 0) spend(FRACTION_STEPS);
  return value.toString();
}

function optionalToPlain(value: Optional, depth: number): PlainValue {
  if (value.hasValue()) return plainAt(value.value(), depth);
  throw new Unrepresentable('the result is an empty optional; say what to use instead with .orValue(…)');
}

const entriesToPlain = (entries: readonly (readonly [unknown, unknown])[], depth: number): PlainValue =>
  Object.fromEntries(
    entries
      .filter(([, inner]) => inner !== undefined)
      .map(([name, inner]) => [toText(plainAt(name, depth)), plainAt(inner, depth)]),
  );

/** A plain value inside a JSON body: bytes become base64 text. */
export function toJsonValue(value: PlainValue): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (isList(value)) return value.map(toJsonValue);
  if (value === null || typeof value !== 'object' || value instanceof JsonNumber) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, toJsonValue(inner)]));
}

/** A plain value as a header carries it: numbers that no double holds become text. */
export function toHeaderValue(value: PlainValue): HeaderValue {
  if (value instanceof JsonNumber) return value.digits;
  if (isList(value)) return value.map(toHeaderValue);
  if (value === null || typeof value !== 'object' || value instanceof Uint8Array) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, toHeaderValue(inner)]));
}

/**
 * A plain value inside text: `null` as "null" (never as nothing), numbers as JavaScript writes them (5, not 5.0) or with the
 * digits they kept, lists and maps as JSON, bytes as their UTF-8 text or `base64:…`.
 */
export function toText(value: PlainValue): string {
  if (typeof value === 'string') return value;
  if (value instanceof JsonNumber) return value.digits;
  if (value instanceof Uint8Array) return bytesToText(value);
  return typeof value === 'object' ? JSON.stringify(toJsonValue(value)) : String(value);
}

/** Whether a plain value is a list; `Array.isArray` does not tell for lists that are not to be changed. */
export const isList = (value: PlainValue): value is readonly PlainValue[] => Array.isArray(value);
