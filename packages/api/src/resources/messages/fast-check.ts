import type { IncomingHttpHeaders } from 'node:http';
import { IDEMPOTENCY_KEY, type Message } from './schema.ts';

/**
 * Whether a JSON value is a message that `messageSchema` takes and hands on as it is. The usual ones are, and this is some ten
 * times cheaper than the schema. False says nothing: the schema, which is the rule, must be asked.
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

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const textOf =
  (least: number, most: number) =>
  (value: unknown): boolean =>
    typeof value === 'string' && value.length >= least && value.length <= most;

/** What each field may be; those that the schema converts are not here, nor are headers as a list. */
const CHECKS: ReadonlyMap<string, (value: unknown) => boolean> = new Map([
  ['topic', textOf(1, Number.POSITIVE_INFINITY)],
  ['payload', () => true],
  ['text', textOf(0, Number.POSITIVE_INFINITY)],
  ['contentType', textOf(0, 255)],
  ['contentEncoding', textOf(0, 255)],
  ['id', textOf(1, 255)],
  ['type', textOf(0, 255)],
  ['subject', textOf(0, 255)],
  ['key', textOf(0, 1024)],
  ['headers', isHeaders],
  ['correlationId', textOf(0, 65_535)],
  ['replyTo', textOf(0, Number.POSITIVE_INFINITY)],
  ['priority', (value) => Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 9],
  ['retain', (value) => typeof value === 'boolean'],
]);

const isNameLength = textOf(1, 255);

/** The schema leaves out a header of the other name, which no parser lets through. */
const isHeaderName = (name: string): boolean => isNameLength(name) && name !== '__proto__';

function isHeaders(value: unknown): boolean {
  return isObject(value) && Object.keys(value).every((name) => isHeaderName(name) && isHeaderValue(value[name]));
}

const isHeaderValue = (value: unknown): boolean =>
  typeof value === 'string' || typeof value === 'boolean' || value === null || Number.isFinite(value);
