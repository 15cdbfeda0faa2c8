import { isRecord } from './is-record.ts';

/** What a client shows for a field (XEP-0004 §3.3). */
export type FieldType = 'boolean' | 'list-multi' | 'list-single' | 'text-multi' | 'text-private' | 'text-single';

/** One of the values that a field may have. */
export interface FieldOption {
  readonly label: string;
  /** As it is in a form. */
  readonly text: string;
  /** As it is in the payload. */
  readonly value: unknown;
}

/** A field of a form: one property of a JSON Schema. */
export interface Field {
  readonly name: string;
  readonly label: string;
  readonly description?: string;
  readonly type: FieldType;
  readonly required: boolean;
  /** Of a list. */
  readonly options: readonly FieldOption[];
  /** Of a number: what a client may check by itself (XEP-0122). */
  readonly number?: { readonly datatype: 'xs:integer' | 'xs:decimal'; readonly min?: number; readonly max?: number };
  /** Whether its value is a list of texts. */
  readonly isList: boolean;
  /** What it is when nothing is said; undefined for nothing. */
  readonly fallback: unknown;
}

/** A form, and what is in its payload besides the fields. */
export interface FormPlan {
  readonly title?: string;
  readonly instructions?: string;
  readonly fields: readonly Field[];
  /** Properties with one possible value: they are not shown. */
  readonly constants: Readonly<Record<string, unknown>>;
}

/** No form can be made from a JSON Schema. The message begins with the pointer of what is in the way. */
export class NoForm extends Error {
  override readonly name = 'NoForm';
}

type Json = Readonly<Record<string, unknown>>;

/**
 * The form in which people give a JSON object of this schema (2020-12): a property is a field. Called once per command whenever
 * the sources of a connection change, and by `magpie check`.
 * @throws NoForm for what a form cannot show, such as an object inside of the object.
 */
export function planForm(schema: Json): FormPlan {
  const root = resolve(schema, schema, '');
  if ((root.type ?? 'object') !== 'object')
    throw new NoForm(`/type: expected "object", got ${JSON.stringify(root.type)}`);
  const properties = isRecord(root.properties) ? root.properties : {};
  const required = new Set(Array.isArray(root.required) ? root.required : []);
  for (const name of required)
    if (!Object.hasOwn(properties, String(name))) throw new NoForm(`/required: "${name}" is none of the properties`);
  const constants: [string, unknown][] = [];
  const fields: Field[] = [];
  for (const [name, inner] of Object.entries(properties)) {
    const pointer = `/properties/${name}`;
    const property = resolve(inner, schema, pointer);
    if (property.const === undefined) fields.push(fieldOf(name, property, required.has(name), pointer));
    else constants.push([name, property.const]);
  }
  return {
    ...textsOf({ title: root.title, instructions: root.description }),
    fields,
    constants: Object.fromEntries(constants),
  };
}

function fieldOf(name: string, property: Json, required: boolean, pointer: string): Field {
  return {
    name,
    required,
    label: typeof property.title === 'string' ? property.title : name,
    ...textsOf({ description: property.description }),
    fallback: property.default,
    options: [],
    isList: false,
    ...kindOf(property, pointer),
  };
}

type Kind = Pick<Field, 'type'> & Partial<Pick<Field, 'options' | 'number' | 'isList'>>;

/** What a property is shown as. */
function kindOf(property: Json, pointer: string): Kind {
  const options = optionsOf(property);
  if (options) return { type: 'list-single', options };
  const type = typeOf(property);
  if (type === 'boolean') return { type };
  if (type === 'string') return { type: textType(property) };
  if (type === 'integer' || type === 'number') return { type: 'text-single', number: numberOf(property, type) };
  if (type === 'array') return listOf(property, pointer);
  const what = type === 'object' ? 'an object inside of the object' : 'a value without one plain type';
  throw new NoForm(`${pointer}: a form cannot show ${what}; expected text, a number, true or false, or a choice`);
}

function listOf(property: Json, pointer: string): Kind {
  const items = isRecord(property.items) ? property.items : {};
  const options = optionsOf(items);
  if (options) return { type: 'list-multi', options, isList: true };
  if (typeOf(items) === 'string') return { type: 'text-multi', isList: true };
  throw new NoForm(`${pointer}/items: a form can show a list of texts or of choices only`);
}

/** `format` says how a text is written: many lines, or unseen. */
function textType({ format, writeOnly }: Json): FieldType {
  if (format === 'password' || writeOnly === true) return 'text-private';
  return format === 'textarea' ? 'text-multi' : 'text-single';
}

function numberOf(property: Json, type: 'integer' | 'number'): NonNullable<Field['number']> {
  const bounds = [
    ['min', property.minimum],
    ['max', property.maximum],
  ] as const;
  const known = bounds.filter((bound): bound is readonly ['min' | 'max', number] => typeof bound[1] === 'number');
  return { datatype: type === 'integer' ? 'xs:integer' : 'xs:decimal', ...Object.fromEntries(known) };
}

/** The choices of an `enum`, or of alternatives that are one value each. */
function optionsOf(property: Json): readonly FieldOption[] | undefined {
  if (Array.isArray(property.enum))
    return property.enum
      .filter((value) => value !== null)
      .map((value) => ({ label: textOf(value), text: textOf(value), value }));
  const alternatives = property.oneOf ?? property.anyOf;
  if (!Array.isArray(alternatives) || alternatives.length === 0) return undefined;
  const all = alternatives.filter((each): each is Json => isRecord(each) && each.const !== undefined);
  if (all.length < alternatives.length) return undefined;
  return all.map(({ title, const: value }) => ({
    label: typeof title === 'string' ? title : textOf(value),
    text: textOf(value),
    value,
  }));
}

/** The only type besides null. */
function typeOf({ type }: Json): unknown {
  const types = [type].flat().filter((each) => each !== 'null');
  return types.length === 1 ? types[0] : undefined;
}

/** A value as the text that it is in a form. */
export const textOf = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

/** Most references that are followed for one property: a schema may refer to itself. */
const MOST_REFERENCES = 8;

/** A schema without its references within the file. */
function resolve(schema: unknown, root: Json, pointer: string): Json {
  let at = schema;
  for (let step = 0; isRecord(at) && typeof at.$ref === 'string'; step++) {
    if (step === MOST_REFERENCES || !at.$ref.startsWith('#')) throw new NoForm(`${pointer}: cannot follow ${at.$ref}`);
    const path = at.$ref.split('/').slice(1);
    at = path.reduce<unknown>((value, key) => (isRecord(value) ? value[key] : undefined), root);
  }
  if (!isRecord(at)) throw new NoForm(`${pointer}: expected a schema (an object)`);
  return at;
}

const textsOf = (texts: Readonly<Record<string, unknown>>): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(texts).filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
