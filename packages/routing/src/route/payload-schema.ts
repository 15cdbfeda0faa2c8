import { errorMessage, JsonNumber, Rejected } from '@magpie/contract';
import { pointerOf, problemsOf } from '@magpie/schema-messages';
import { z } from 'zod';
import { type Shape, shapeOf } from '../expression/shape.ts';
import { isRecord, type Report } from '../report.ts';
import type { EventView } from '../scope.ts';

/** A declared shape of the payload: its types for expressions, and the check of each payload. */
export interface PayloadSchema {
  /** The schema as the file has it, with doubles for numbers. */
  readonly content: Readonly<Record<string, unknown>>;
  readonly shape: Shape;
  /** Throws `Rejected` listing the mistakes. Called once per event that reaches the condition. */
  check(view: EventView): void;
}

/** Reads a JSON file named in the configuration, as `parseJson` does. Throws what the file system or the parser says. */
export type ReadJsonFile = (path: string) => unknown;

/** Loads `payloadSchema`; undefined after reporting that the file or the schema in it cannot be used. */
export function loadPayloadSchema(
  path: string,
  readJsonFile: ReadJsonFile | undefined,
  report: Report,
): PayloadSchema | undefined {
  if (readJsonFile === undefined)
    return void report.error('files cannot be read here, so payloadSchema cannot be used');
  try {
    const content = withDoubles(readJsonFile(path));
    if (!isRecord(content))
      return void report.error(`expected a JSON Schema (an object) in "${path}", got another JSON value`);
    const validator = z.fromJSONSchema(content);
    return { content, shape: shapeOf(content), check: (view) => checkPayload(validator, view, path) };
  } catch (error) {
    return void report.error(`"${path}" cannot be used as a JSON Schema: ${errorMessage(error)}`);
  }
}

/**
 * A schema with doubles in the place of all numbers, as the validator compares. Rounding a bound such as `maximum` admits no
 * other integer of 64 bits than its neighbours; a value that must be met exactly cannot be rounded: throws.
 */
function withDoubles(schema: unknown, path: readonly PropertyKey[] = []): unknown {
  if (schema instanceof JsonNumber) {
    if (!path.includes('const') && !path.includes('enum')) return Number(schema.digits);
    throw new Error(`at ${pointerOf(path)}: expected a number that a double can hold, got ${schema.digits}`);
  }
  if (Array.isArray(schema)) return schema.map((inner, index) => withDoubles(inner, [...path, index]));
  if (!isRecord(schema)) return schema;
  return Object.fromEntries(Object.entries(schema).map(([key, inner]) => [key, withDoubles(inner, [...path, key])]));
}

/** Errors are logged, so they must not quote the payload. */
const SHOWS_NO_VALUES = { pointer: '', isHidden: () => true };
/** Problems of one payload that are listed; further ones are counted. */
const MOST_SHOWN = 10;

/** Throws `Rejected`; `path` is the schema's file as configured. */
function checkPayload(validator: z.ZodType, view: EventView, path: string): void {
  const { success, error } = validator.safeParse(view.$rounded, { reportInput: true });
  if (success) return;
  const issues = error.issues.filter((issue) => !isLongInteger(issue, view.payload));
  if (issues.length === 0) return;
  if (!view.$hasPayload)
    throw new Rejected(`expected a payload that fits ${path}, got a body that is not JSON: ${view.$whyNoPayload}`);
  const problems = problemsOf(validator, issues, SHOWS_NO_VALUES).map(
    ({ pointer, message }) => `${pointer}: ${message}`,
  );
  const more = problems.length > MOST_SHOWN ? `; and ${problems.length - MOST_SHOWN} more` : '';
  throw new Rejected(`expected a payload that fits ${path}: ${problems.slice(0, MOST_SHOWN).join('; ')}${more}`);
}

/** Whether an issue is only that an integer is too long for a double: expressions take those of 64 bits. */
function isLongInteger(issue: z.core.$ZodIssue, payload: unknown): boolean {
  const limit = issue.code === 'too_big' ? issue.maximum : issue.code === 'too_small' ? -issue.minimum : undefined;
  if (limit !== Number.MAX_SAFE_INTEGER) return false;
  const at = issue.path.reduce<unknown>((value, key) => Object(value)[key], payload);
  return typeof at === 'bigint';
}
