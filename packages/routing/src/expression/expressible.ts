/** The name by which the expression library tells what kind of value an object is. */
const TELLING = 'constructor';

/** Whether bytes may hold JSON with a key that `expressible` looks for. False is certain but for keys written in escapes. */
export const mayNeedMaps = (json: Uint8Array): boolean =>
  Buffer.from(json.buffer, json.byteOffset, json.byteLength).includes(TELLING);

/**
 * The same value with maps in the place of objects that have a key `constructor`: the library would take its value for their
 * type and refuse every expression. Called per event whose body or headers hold that word; a body is at most 128 levels deep.
 */
export function expressible(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(expressible);
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return value;
  const entries = Object.entries(value).map(([name, inner]) => [name, expressible(inner)] as const);
  return Object.hasOwn(value, TELLING) ? new Map(entries) : Object.fromEntries(entries);
}
