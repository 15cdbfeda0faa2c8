import type { IncomingHttpHeaders } from 'node:http';
import { z } from 'zod';
import { fields, HEADER_NAME, IDEMPOTENCY_KEY, type Message } from './schema.ts';

/**
 * Whether a JSON value is a message that `messageSchema` takes and hands on as it is. The usual ones are, and this is some ten
 * times cheaper than the schema (ADR 0016). False says nothing: the schema, which is the rule, must be asked.
 */
export function isPlainMessage(data: unknown): data is Message {
  if (!isObject(data)) return false;
  const { topic, payload, text } = data;
  // A topic, and one of the two forms; direct sends and base64 are for the schema.
  if (topic === undefined || (payload === undefined) === (text === undefined)) return false;
  for (const name of Object.keys(data)) {
    if (!CHECKS.get(name)?.(data[name])) return false;
  }
  return true;
}

/** The same for the headers of a request, as the server gives them, and `messageHeadersSchema`. */
export function arePlainHeaders({ 'idempotency-key': key }: IncomingHttpHeaders): boolean {
  // The others that are read are always text: lists are made of no header but `set-cookie`.
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
 * The check that says the same as the schema of a field, with the limits of that schema; undefined for one that converts its
 * value or has a rule that is not read here.
 */
function checkOf(schema: z.ZodType): Check | undefined {
  const inner = schema instanceof z.ZodOptional ? schema.unwrap() : schema;
  if (inner instanceof z.ZodUnknown) return () => true;
  if (inner instanceof z.ZodBoolean) return (value) => typeof value === 'boolean';
  // One with a format, such as a time, is another class.
  if (inner instanceof z.ZodString && inner.format === null) return lengthOf(inner);
  if (!(inner instanceof z.ZodNumber) || inner.format !== 'safeint') return undefined;
  const { minValue, maxValue } = inner;
  if (minValue === null || maxValue === null) return undefined;
  return (value) => Number.isSafeInteger(value) && Number(value) >= minValue && Number(value) <= maxValue;
}

/** What each field may be; one that is not here is for the schema. */
const CHECKS: ReadonlyMap<string, Check> = new Map(
  Object.entries(fields.shape).flatMap(([name, schema]): [string, Check][] => {
    const check = name === 'headers' ? isHeaders : checkOf(schema);
    return check ? [[name, check]] : [];
  }),
);

const isNameLength = lengthOf(HEADER_NAME);

/** The schema leaves out a header of the other name, which no parser lets through. */
const isHeaderName = (name: string): boolean => isNameLength(name) && name !== '__proto__';

function isHeaders(value: unknown): boolean {
  return isObject(value) && Object.keys(value).every((name) => isHeaderName(name) && isHeaderValue(value[name]));
}

const isHeaderValue: Check = (value) =>
  typeof value === 'string' || typeof value === 'boolean' || value === null || Number.isFinite(value);
