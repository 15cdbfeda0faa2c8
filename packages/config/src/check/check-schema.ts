import { type Problem, pointerOf } from '@magpie/contract';
import type { z } from 'zod';
import { type JsonSchema, jsonSchemaOf, keysAt, schemasAt } from '../schema/json-schema.ts';
import { describeExpected, describeInput, didYouMean, type Issue, oneOf } from './wording.ts';

/** Where the checked value stands in the configuration. */
export interface CheckContext {
  /** Path of the value from the root. */
  readonly path: readonly string[];
  /** Pointers whose text came from the environment or a file: coerced to numbers where needed, never shown. */
  readonly substituted: ReadonlySet<string>;
}

/** A parsed value, or undefined with the problems that say why. */
export interface Checked<T> {
  readonly value: T | undefined;
  readonly problems: readonly Problem[];
}

/** Parses a value by a zod schema and words what is wrong as "expected …, got …", located by pointer. Pure. */
export function checkSchema<T>(schema: z.ZodType<T>, input: unknown, context: CheckContext): Checked<T> {
  const first = schema.safeParse(input, { reportInput: true });
  const coerced = first.success ? undefined : coerceSubstituted(input, first.error.issues, context);
  const result = coerced === undefined ? first : schema.safeParse(coerced.value, { reportInput: true });
  if (result.success) return { value: result.data, problems: [] };
  const json = jsonSchemaOf(schema);
  return { value: undefined, problems: result.error.issues.flatMap((issue) => problemsOf(issue, [], json, context)) };
}

function problemsOf(issue: Issue, prefix: readonly PropertyKey[], json: JsonSchema, context: CheckContext): Problem[] {
  const path = [...prefix, ...issue.path];
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey(key, path, json, context));
  if (issue.code === 'invalid_union') {
    const branch = likelyBranch(issue.errors);
    if (branch) return branch.flatMap((inner) => problemsOf(inner, path, json, context));
  }
  return [valueProblem(issue, path, json, context)];
}

function unknownKey(key: string, path: readonly PropertyKey[], json: JsonSchema, context: CheckContext): Problem {
  const known = keysAt(json, path);
  const hint = didYouMean(key, known) ?? (known.length > 0 ? `known keys: ${known.join(', ')}` : undefined);
  return {
    severity: 'error',
    pointer: pointerOf([...context.path, ...path, key]),
    atKey: true,
    message: `unknown key "${key}"`,
    ...(hint ? { hint } : {}),
  };
}

/** The one alternative of a union whose outer shape fits, so that its own issues say more than "no alternative fits". */
function likelyBranch(branches: readonly (readonly Issue[])[]): readonly Issue[] | undefined {
  const fitting = branches.filter(
    (issues) => !issues.some((issue) => issue.path.length === 0 && issue.code === 'invalid_type'),
  );
  return fitting.length === 1 ? fitting[0] : undefined;
}

function valueProblem(issue: Issue, path: readonly PropertyKey[], json: JsonSchema, context: CheckContext): Problem {
  const pointer = pointerOf([...context.path, ...path]);
  const schemas = schemasAt(json, path);
  const hidden = context.substituted.has(pointer) || schemas.some((schema) => schema.secret === true);
  const hint = issue.code === 'invalid_value' ? didYouMean(issue.input, issue.values.map(String)) : undefined;
  return {
    severity: 'error',
    pointer,
    ...(issue.code === 'invalid_key' ? { atKey: true } : {}),
    message: messageOf(issue, path, schemas, hidden),
    ...(hint ? { hint } : {}),
  };
}

function messageOf(
  issue: Issue,
  path: readonly PropertyKey[],
  schemas: readonly JsonSchema[],
  hidden: boolean,
): string {
  if (issue.code === 'custom') return hidden ? hideInput(issue) : issue.message;
  const marked = schemas.flatMap(({ expected }) => (expected === undefined ? [] : [expected]));
  const whole = issue.code === 'invalid_type' && schemas.some(({ type }) => type === 'integer');
  const expected = marked.length > 0 ? oneOf([...new Set(marked)]) : whole ? 'a whole number' : expectedBy(issue);
  if (expected === undefined) return issue.message;
  if (issue.input === undefined && path.length > 0)
    return `expected the key "${String(path.at(-1))}" (${expected}), got nothing`;
  return `expected ${expected}, got ${describeInput(issue.input, hidden)}`;
}

/** A check's own message, without the value should it quote it. */
const hideInput = ({ message, input }: Issue): string =>
  typeof input === 'string' && input !== '' ? message.replaceAll(input, '[hidden]') : message;

function expectedBy(issue: Issue): string | undefined {
  if (issue.code === 'invalid_key') return issue.issues.map(expectedBy).find((text) => text !== undefined);
  if (issue.code !== 'invalid_union') return describeExpected(issue);
  const each = issue.errors.flatMap((branch) => branch.slice(0, 1).map(describeExpected));
  const known = each.filter((text) => text !== undefined);
  return known.length > 0 ? oneOf([...new Set(known)]) : undefined;
}

/**
 * Values from the environment are texts; where the schema wants a number or true/false, the text of one is taken for it.
 * Returns undefined when there was nothing to convert.
 */
function coerceSubstituted(
  input: unknown,
  issues: readonly Issue[],
  context: CheckContext,
): { value: unknown } | undefined {
  const wanted = new Map<string, number | boolean>();
  for (const issue of issues) {
    const pointer = pointerOf([...context.path, ...issue.path]);
    const value = context.substituted.has(pointer) ? scalarOf(issue) : undefined;
    if (value !== undefined) wanted.set(pointerOf(issue.path), value);
  }
  return wanted.size === 0 ? undefined : { value: replaceAt(input, wanted, '') };
}

/** The number or truth value that the text of an issue spells, if the schema could mean one there. */
function scalarOf(issue: Issue): number | boolean | undefined {
  const text = typeof issue.input === 'string' ? issue.input.trim() : '';
  const spelt = /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : TRUTH.get(text);
  if (spelt === undefined || issue.code === 'invalid_union') return spelt;
  if (issue.code === 'invalid_value') return issue.values.includes(spelt) ? spelt : undefined;
  const wanted = issue.code === 'invalid_type' ? issue.expected : undefined;
  return wanted === typeof spelt || (wanted === 'int' && typeof spelt === 'number') ? spelt : undefined;
}

const TRUTH = new Map([
  ['true', true],
  ['false', false],
]);

function replaceAt(value: unknown, wanted: ReadonlyMap<string, unknown>, pointer: string): unknown {
  if (wanted.has(pointer)) return wanted.get(pointer);
  if (Array.isArray(value)) return value.map((item, index) => replaceAt(item, wanted, `${pointer}/${index}`));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, replaceAt(item, wanted, pointer + pointerOf([key]))]),
  );
}
