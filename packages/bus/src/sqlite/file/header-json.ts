import type { Header, HeaderValue } from '@magpie/contract';

/**
 * Header values as JSON: plain text, finite numbers, booleans and null stand for themselves, everything else becomes
 * a list that starts with its type: `["bytes", base64]`, `["list", …]`, `["map", [name, value], …]`, `["number", text]`.
 */
export const packHeaders = (headers: readonly Header[]): readonly Header[] =>
  headers.every(([, value]) => isPlain(value)) ? headers : headers.map(([name, value]) => [name, pack(value)]);

/** The inverse of `packHeaders`. */
export const unpackHeaders = (headers: readonly Header[]): readonly Header[] =>
  headers.some(([, value]) => Array.isArray(value)) ? headers.map(([name, value]) => [name, unpack(value)]) : headers;

const isPlain = (value: HeaderValue): boolean =>
  typeof value === 'number'
    ? Number.isFinite(value) && !Object.is(value, -0)
    : value === null || typeof value !== 'object';

const isList = (value: HeaderValue): value is readonly HeaderValue[] => Array.isArray(value);

function pack(value: HeaderValue): HeaderValue {
  if (isPlain(value)) return value;
  if (typeof value === 'number') return ['number', Object.is(value, -0) ? '-0' : String(value)];
  if (value instanceof Uint8Array) return ['bytes', Buffer.from(value).toString('base64')];
  if (isList(value)) return ['list', ...value.map(pack)];
  return ['map', ...Object.entries(value ?? {}).map(([name, inner]) => [name, pack(inner)])];
}

function unpack(value: HeaderValue): HeaderValue {
  if (!isList(value)) return value;
  const [type, ...items] = value;
  if (type === 'list') return items.map(unpack);
  if (type === 'number') return Number(items[0]);
  if (type === 'bytes') return new Uint8Array(Buffer.from(String(items[0]), 'base64'));
  return Object.fromEntries(
    items.flatMap((item) => (isList(item) ? [[String(item[0]), unpack(item[1] ?? null)]] : [])),
  );
}
