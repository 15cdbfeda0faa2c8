import type { IncomingHttpHeaders } from 'node:http';
import { z } from 'zod';
import { fields, HEADER_NAME, IDEMPOTENCY_KEY, type Message } from './schema.ts';

/**
 * Whether `messageSchema` would accept a JSON value unchanged. True for most messages, at a tenth of the schema's cost
 * (ADR 0016). False means only that the schema, which is authoritative, must decide.
 */
export function isPlainMessage(data: unknown): data is Message {
  if (!isObject(data)) return false;
  const { topic, payload, text } = data;
  // A topic and one of two body forms; direct sends and base64 are left to the schema.
  if (topic === undefined || (payload === undefined) === (text === undefined)) return false;
  for (const name of Object.keys(data)) {
    if (!CHECKS.get(name)?.(data[name])) return false;
  }
  return true;
}

/** The same for the headers of a request and `messageHeadersSchema`. */
export function arePlainHeaders({ 'idempotency-key': key }: IncomingHttpHeaders): boolean {
  // All other headers are always text: Node makes lists only of `set-cookie`.
  return key === undefined || (typeof key === 'string' && IDEMPOTENCY_KEY.test(key));
}

type Check = (value: unknown) => boolean;

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const textWithin =
  (least: number, most: number): Check =>
  (value) =>
    typeof value === 'string' && value.length >= least && value.length <= most;

const lengthOf = ({ minLength, maxLength }: z.ZodString): Check =>
  textWithin(minLength ?? 0, maxLength ?? Number.POSITIVE_INFINITY);

/**
 * A check equivalent to the schema of a field, with its limits; undefined for a schema that converts its value or has a
 * rule not covered here.
 */
function checkOf(schema: z.ZodType): Check | undefined {
  const inner = schema instanceof z.ZodOptional ? schema.unwrap() : schema;
  if (inner instanceof z.ZodUnknown) return () => true;
  if (inner instanceof z.ZodBoolean) return (value) => typeof value === 'boolean';
  // A string with a format, such as a time, is another class.
  if (inner instanceof z.ZodString && inner.format === null) return lengthOf(inner);
  if (!(inner instanceof z.ZodNumber) || inner.format !== 'safeint') return undefined;
  const { minValue, maxValue } = inner;
  if (minValue === null || maxValue === null) return undefined;
  return (value) => Number.isSafeInteger(value) && Number(value) >= minValue && Number(value) <= maxValue;
}

/** The check of each field; fields without one are left to the schema. */
const CHECKS: ReadonlyMap<string, Check> = new Map(
  Object.entries(fields.shape).flatMap(([name, schema]): [string, Check][] => {
    const check = name === 'headers' ? isHeaders : checkOf(schema);
    return check ? [[name, check]] : [];
  }),
);

const isNameLength = lengthOf(HEADER_NAME);

/** The schema drops a header named `__proto__`, which no parser lets through. */
const isHeaderName = (name: string): boolean => isNameLength(name) && name !== '__proto__';

function isHeaders(value: unknown): boolean {
  return isObject(value) && Object.keys(value).every((name) => isHeaderName(name) && isHeaderValue(value[name]));
}

const isHeaderValue: Check = (value) =>
  typeof value === 'string' || typeof value === 'boolean' || value === null || Number.isFinite(value);
