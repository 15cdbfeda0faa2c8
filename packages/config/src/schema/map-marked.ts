import { alternativesOf, type JsonSchema, schemasAt } from '@magpie/schema-messages';

/** Rewrites every text that the schema marks; everything else is unchanged. */
export function mapMarked(
  schema: JsonSchema,
  value: unknown,
  mark: 'filePath' | 'secret',
  rewrite: (text: string) => string,
): unknown {
  const visit = (inner: unknown, path: readonly string[]): unknown => {
    if (typeof inner === 'string')
      return schemasAt(schema, path)
        .flatMap(alternativesOf)
        .some((each) => each[mark])
        ? rewrite(inner)
        : inner;
    if (Array.isArray(inner)) return inner.map((item, index) => visit(item, [...path, `${index}`]));
    if (!isMapping(inner)) return inner;
    return Object.fromEntries(Object.entries(inner).map(([key, item]) => [key, visit(item, [...path, key])]));
  };
  return visit(value, []);
}

/** A mapping of the file; not a number that keeps its digits, which is an object of its own class. */
function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
