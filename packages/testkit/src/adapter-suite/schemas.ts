import { z } from 'zod';

/** A piece of a JSON Schema, as far as this file looks at it. */
const pieceSchema = z.looseObject({
  description: z.string().optional(),
  $ref: z.string().optional(),
  properties: z.record(z.string(), z.unknown()).optional(),
  items: z.unknown().optional(),
  anyOf: z.array(z.unknown()).optional(),
  oneOf: z.array(z.unknown()).optional(),
  allOf: z.array(z.unknown()).optional(),
});

/** The keys that a mapping below a schema may have; undefined when the schema has no such key. */
export function keysOf(schema: z.ZodObject, key: string): readonly string[] | undefined {
  const json = pieceSchema.parse(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any', reused: 'inline' }));
  const inner = json.properties?.[key];
  return inner === undefined ? undefined : Object.keys(pieceSchema.parse(inner).properties ?? {});
}

/** Paths of all keys, at any depth, that have no description. */
export function undocumented(name: string, schema: z.ZodObject): string[] {
  return keysWithout(name, z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any', reused: 'inline' }));
}

function keysWithout(path: string, value: unknown): string[] {
  const piece = pieceSchema.safeParse(value).data;
  if (!piece) return [];
  const inner = [piece.items, ...(piece.anyOf ?? []), ...(piece.oneOf ?? []), ...(piece.allOf ?? [])];
  return [
    ...Object.entries(piece.properties ?? {}).flatMap(([key, child]) => keyWithout(`${path}.${key}`, child)),
    ...inner.flatMap((child) => keysWithout(path, child)),
  ];
}

function keyWithout(path: string, child: unknown): string[] {
  const described = (pieceSchema.safeParse(child).data?.description ?? '').trim().length > 0;
  return [...(described ? [] : [path]), ...keysWithout(path, child)];
}
