import { type Issue, type Problem, pathOf, pointerOf, problemsOf } from '@magpie/schema-messages';
import type { z } from 'zod';

/** Position of the checked value in the configuration. */
export interface CheckContext {
  /** Path of the value from the root. */
  readonly path: readonly string[];
  /** Pointers of values that came from the environment or a file: converted to numbers where needed, never shown. */
  readonly substituted: ReadonlySet<string>;
  /** Whether a value, by its path from the root, may be a secret: then it is never shown either. */
  isUnquotable?(path: readonly string[], value: unknown): boolean;
}

/** A parsed value, or undefined with the problems that say why. */
export interface Checked<T> {
  readonly value: T | undefined;
  readonly problems: readonly Problem[];
}

/** Parses a value by a zod schema; problems are worded "expected …, got …" and located by pointer. Pure. */
export function checkSchema<T>(schema: z.ZodType<T>, input: unknown, context: CheckContext): Checked<T> {
  const first = schema.safeParse(input, { reportInput: true });
  const coerced = first.success ? undefined : coerceSubstituted(input, first.error.issues, context);
  const result = coerced === undefined ? first : schema.safeParse(coerced.value, { reportInput: true });
  if (result.success) return { value: result.data, problems: [] };
  const isHidden = (pointer: string, value: unknown): boolean =>
    context.substituted.has(pointer) || context.isUnquotable?.(pathOf(pointer), value) === true;
  const place = { pointer: pointerOf(context.path), isHidden };
  return { value: undefined, problems: problemsOf(schema, result.error.issues, place) };
}

/**
 * Values from the environment are texts: where the schema expects a number or a boolean, the text is converted. Returns
 * undefined when there was nothing to convert.
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

/** The number or boolean that the input of an issue spells, if the schema accepts one there. */
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
