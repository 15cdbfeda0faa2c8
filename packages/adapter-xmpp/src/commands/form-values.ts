import { problemsOf } from '@magpie/schema-messages';
import type { z } from 'zod';
import type { Field, FormPlan } from './form-plan.ts';

/** What was filled in, by the name of the field. */
export type Filled = ReadonlyMap<string, readonly string[]>;

/** A form as it came back: its payload, or what is wrong with it in words for people. */
export type Reading =
  | { readonly payload: Readonly<Record<string, unknown>>; readonly problems?: undefined }
  | { readonly payload?: undefined; readonly problems: readonly string[] };

/** More mistakes than anybody reads at once. */
const MOST_SHOWN = 8;

/**
 * The JSON object of a filled form: typed values, defaults of what was left out, properties with one possible value. Total: called
 * with whatever somebody sends.
 * @param validator of the schema that the form was made from.
 */
export function readForm({ fields, constants }: FormPlan, filled: Filled, validator: z.ZodType | undefined): Reading {
  const values = fields.map((field) => [field, fieldValue(field, filled.get(field.name))] as const);
  const missing = values.filter(([{ required }, value]) => required && value === undefined).map(([field]) => field);
  const said = values.flatMap(([{ name }, value]) => (value === undefined ? [] : [[name, value] as const]));
  const payload = { ...constants, ...Object.fromEntries(said) };
  const result = validator?.safeParse(payload, { reportInput: true });
  if (missing.length === 0 && result?.success !== false) return { payload };
  const secret = new Set(fields.filter(({ type }) => type === 'text-private').map(({ name }) => `/${name}`));
  const issues = (result?.error?.issues ?? []).filter(
    ({ path: [name] }) => !missing.some((each) => each.name === name),
  );
  const isHidden = (pointer: string): boolean => secret.has(pointer);
  const wrong = problemsOf(validator!, issues, { pointer: '', isHidden }).map(({ pointer, message }) => {
    const field = fields.find(({ name }) => pointer === `/${name}` || pointer.startsWith(`/${name}/`));
    return field ? `${field.label}: ${message}` : message;
  });
  return { problems: [...missing.map(({ label }) => `${label}: a value is needed`), ...wrong].slice(0, MOST_SHOWN) };
}

/** The value of a field; undefined for none. What cannot be read stays a text, which the schema then refuses in its words. */
function fieldValue(field: Field, texts: readonly string[] | undefined): unknown {
  const isEmpty = texts?.every((text) => text === '');
  if (field.type === 'boolean') return booleanOf(texts?.[0]) ?? field.fallback ?? (field.required ? false : undefined);
  if (texts === undefined) return field.fallback;
  if (isEmpty) return field.isList && texts.length === 0 ? [] : undefined;
  if (field.isList) return field.options.length > 0 ? texts.map((text) => chosen(field, text)) : texts;
  const text = texts.join('\n');
  if (field.options.length > 0) return chosen(field, text);
  return field.number ? numberOf(text.trim(), field.number.datatype) : text;
}

const chosen = ({ options }: Field, text: string): unknown => {
  const option = options.find((each) => each.text === text);
  return option ? option.value : text;
};

/** XEP-0004 §3.3. Others stay what they are. */
function booleanOf(text: string | undefined): unknown {
  if (text === undefined || text === '') return undefined;
  if (text === '1' || text === 'true') return true;
  return text === '0' || text === 'false' ? false : text;
}

const DECIMAL = /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$/;

function numberOf(text: string, datatype: string): unknown {
  const isInteger = /^[+-]?\d+$/.test(text);
  if (datatype === 'xs:integer') return isInteger && Number.isSafeInteger(Number(text)) ? Number(text) : text;
  return DECIMAL.test(text) && Number.isFinite(Number(text)) ? Number(text) : text;
}
