import { z } from 'zod';

/** The subset of JSON Schema (2020-12) that zod writes and Magpie reads. Extra keys come from `.meta()`. */
export interface JsonSchema {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly default?: unknown;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly format?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | JsonSchema;
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  /** The value is a secret: never shown. */
  readonly secret?: boolean;
  /** The value is a path: relative ones start at the configuration file. */
  readonly filePath?: boolean;
  /** A change takes effect at the next start only. */
  readonly restart?: boolean;
  /** The expected value as a noun phrase, for messages. */
  readonly expected?: string;
}

const cache = new WeakMap<z.core.$ZodType, JsonSchema>();

/** The JSON Schema of what a user writes (before parsing) for a zod schema. Computed once per schema. */
export function jsonSchemaOf(schema: z.core.$ZodType): JsonSchema {
  const known = cache.get(schema);
  if (known) return known;
  const { $defs = {}, ...made } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  const inlined = inline(made, $defs, new Set()) as JsonSchema;
  cache.set(schema, inlined);
  return inlined;
}

/** Replaces references by their definitions; a recursive reference becomes "any value". */
function inline(node: unknown, definitions: Readonly<Record<string, unknown>>, open: ReadonlySet<string>): unknown {
  if (Array.isArray(node)) return node.map((item) => inline(item, definitions, open));
  if (node === null || typeof node !== 'object') return node;
  const { $ref, ...own } = node as { readonly $ref?: unknown };
  const name = typeof $ref === 'string' ? $ref.replace('#/$defs/', '') : undefined;
  if (name !== undefined) {
    const target = open.has(name) ? {} : inline(definitions[name], definitions, new Set([...open, name]));
    return { ...(target as object), ...own };
  }
  return Object.fromEntries(Object.entries(own).map(([key, inner]) => [key, inline(inner, definitions, open)]));
}

/** The alternatives of a union, including nested ones; the schema itself when it is not a union. */
export const alternativesOf = (schema: JsonSchema): readonly JsonSchema[] => {
  const inner = schema.anyOf ?? schema.oneOf;
  return inner ? inner.flatMap(alternativesOf) : [schema];
};

/**
 * All schemas that may describe the value at a path: several where the schema has alternatives, none where the path
 * leaves the schema.
 */
export function schemasAt(schema: JsonSchema, path: readonly PropertyKey[]): readonly JsonSchema[] {
  let level: readonly JsonSchema[] = [schema];
  for (const part of path) {
    level = level.flatMap(alternativesOf).flatMap((each) => stepInto(each, String(part)));
  }
  return level;
}

function stepInto(schema: JsonSchema, part: string): readonly JsonSchema[] {
  if (schema.properties && Object.hasOwn(schema.properties, part)) return [schema.properties[part] ?? {}];
  if (schema.items && /^\d+$/.test(part)) return [schema.items];
  return typeof schema.additionalProperties === 'object' ? [schema.additionalProperties] : [];
}

/** Whether one of these schemas accepts a plain value of this type; lists and mappings are not plain values. */
export const acceptsType = (schemas: readonly JsonSchema[], value: unknown): boolean =>
  schemas.flatMap(alternativesOf).some((schema) => {
    const allowed = schema.enum ?? (schema.const === undefined ? undefined : [schema.const]);
    if (allowed) return allowed.some((one) => typeof one === typeof value);
    const types = [schema.type ?? []].flat();
    return types.length === 0 || types.some((type) => (type === 'integer' ? 'number' : type) === typeof value);
  });

/** The keys that a mapping at a path may have. */
export const keysAt = (schema: JsonSchema, path: readonly PropertyKey[]): readonly string[] =>
  schemasAt(schema, path)
    .flatMap(alternativesOf)
    .flatMap((each) => Object.keys(each.properties ?? {}));
