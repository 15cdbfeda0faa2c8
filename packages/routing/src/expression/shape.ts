import type { ObjectSchema } from '@marcbachmann/cel-js';
import { isRecord } from '../report.ts';

/** What an expression may assume about a value, and how to hand the value over. */
export interface Shape {
  /** Name of the type, or the fields of an object. */
  readonly type: string | ObjectSchema;
  /** A JSON value as the expression language wants it: integers as `bigint`. Returns the value itself if nothing changes. */
  convert(value: unknown): unknown;
}

type Json = Readonly<Record<string, unknown>>;

const same = (value: unknown): unknown => value;
const DYNAMIC: Shape = { type: 'dyn', convert: same };
const INTEGER: Shape = {
  type: 'int',
  convert: (value) => (typeof value === 'number' && Number.isInteger(value) ? BigInt(value) : value),
};
const SCALARS: Readonly<Record<string, Shape>> = {
  string: { type: 'string', convert: same },
  boolean: { type: 'bool', convert: same },
  number: { type: 'double', convert: same },
  integer: INTEGER,
};

/** Deepest nesting that is typed; below it anything goes. Also ends recursive references. */
const MAX_DEPTH = 12;

/**
 * The shape described by a JSON Schema (2020-12). Objects with `properties` are closed unless they say
 * `additionalProperties: true`, so that a misspelt field is found at load; unions and whatever has no counterpart are `dyn`.
 */
export const shapeOf = (schema: unknown): Shape => shapeAt(schema, isRecord(schema) ? schema : {}, MAX_DEPTH);

function shapeAt(schema: unknown, root: Json, depth: number): Shape {
  if (!isRecord(schema) || depth === 0) return DYNAMIC;
  if (typeof schema.$ref === 'string') return shapeAt(resolve(schema.$ref, root), root, depth - 1);
  const { type } = schema;
  if (type === 'object') return objectShape(schema, root, depth - 1);
  if (type === 'array') return listShape(shapeAt(schema.items, root, depth - 1));
  if (typeof type === 'string') return SCALARS[type] ?? DYNAMIC;
  const values = Array.isArray(schema.enum) ? schema.enum : [schema.const];
  return values.every((value) => typeof value === 'string') ? SCALARS.string! : DYNAMIC;
}

function resolve(reference: string, root: Json): unknown {
  if (!reference.startsWith('#')) return undefined;
  const steps = reference.slice(1).split('/').slice(1);
  return steps.reduce<unknown>((at, step) => {
    const name = step.replace(/~1/g, '/').replace(/~0/g, '~');
    return isRecord(at) && Object.hasOwn(at, name) ? at[name] : undefined;
  }, root);
}

function objectShape(schema: Json, root: Json, depth: number): Shape {
  const { properties, additionalProperties } = schema;
  if (isRecord(properties) && additionalProperties !== true) return fieldsShape(properties, root, depth);
  const values = isRecord(properties) ? DYNAMIC : shapeAt(additionalProperties, root, depth);
  if (typeof values.type !== 'string') return { type: 'map<string, dyn>', convert: same };
  return { type: `map<string, ${values.type}>`, convert: mapConverter(values) };
}

function fieldsShape(properties: Json, root: Json, depth: number): Shape {
  const shapes = Object.entries(properties).map(([name, inner]) => [name, shapeAt(inner, root, depth)] as const);
  const changing = shapes.filter(([, shape]) => shape.convert !== same);
  return {
    type: Object.fromEntries(shapes.map(([name, shape]) => [name, fieldType(name, shape)])),
    convert: changing.length === 0 ? same : (value) => convertFields(value, changing),
  };
}

/** Nested types are named after their field; a name with other characters could not be declared. */
const fieldType = (name: string, shape: Shape): string | ObjectSchema =>
  typeof shape.type === 'string' || /^\w+$/.test(name) ? shape.type : 'dyn';

function convertFields(value: unknown, changing: readonly (readonly [string, Shape])[]): unknown {
  if (!isRecord(value)) return value;
  const copy: Record<string, unknown> = { ...value };
  for (const [name, shape] of changing) if (Object.hasOwn(copy, name)) copy[name] = shape.convert(copy[name]);
  return copy;
}

function listShape(items: Shape): Shape {
  if (typeof items.type !== 'string') return { type: 'list<dyn>', convert: same };
  const convert = (value: unknown): unknown => (Array.isArray(value) ? value.map(items.convert) : value);
  return { type: `list<${items.type}>`, convert: items.convert === same ? same : convert };
}

const mapConverter = (values: Shape): Shape['convert'] =>
  values.convert === same
    ? same
    : (value) =>
        isRecord(value)
          ? Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, values.convert(inner)]))
          : value;
