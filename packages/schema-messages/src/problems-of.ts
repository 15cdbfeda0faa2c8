import type { z } from 'zod';
import { type JsonSchema, jsonSchemaOf, keysAt, schemasAt } from './json-schema.ts';
import { didYouMean } from './nearest.ts';
import { MOST_PROBLEMS, type Problem, pointerOf } from './problem.ts';
import { describeExpected, describeInput, type Issue, oneOf, ownWords } from './wording.ts';

export type { Issue } from './wording.ts';

/** Position of a checked value, and which parts of it must not be shown. */
export interface IssueContext {
  /** RFC 6901 pointer of the value. */
  readonly pointer: string;
  /** Whether a value at a pointer must not be shown, besides those that the schema marks as secret. */
  isHidden?(pointer: string, value: unknown): boolean;
}

interface Place extends IssueContext {
  readonly json: JsonSchema;
}

/**
 * The problems of a failed zod parse, located and worded "expected …, got …". The parse must have been made with
 * `reportInput: true`. An unknown key gets the nearest valid key as a hint, a wrong choice the nearest valid choice.
 * Values at keys marked `secret` in the schema, and those for which `isHidden` is true, are never shown. Returns at
 * most the first hundred. Pure; called once per failed check.
 */
export function problemsOf(
  schema: z.core.$ZodType,
  issues: readonly Issue[],
  context: IssueContext = { pointer: '' },
): readonly Problem[] {
  const place = { ...context, json: jsonSchemaOf(schema) };
  // Without a bound a request of a megabyte of wrong keys would hold the process up.
  const problems: Problem[] = [];
  for (const issue of issues) {
    problems.push(...problemsOfIssue(issue, [], place));
    if (problems.length >= MOST_PROBLEMS) break;
  }
  return problems.slice(0, MOST_PROBLEMS);
}

function problemsOfIssue(issue: Issue, prefix: readonly PropertyKey[], place: Place): readonly Problem[] {
  const path = [...prefix, ...issue.path];
  if (issue.code === 'unrecognized_keys')
    return issue.keys.slice(0, MOST_PROBLEMS).map((key) => unknownKey(key, path, place));
  if (issue.code === 'invalid_union' && ownWords(issue) === undefined) {
    const branch = likelyBranch(issue.errors);
    if (branch) return branch.flatMap((inner) => problemsOfIssue(inner, path, place));
  }
  return [valueProblem(issue, path, place)];
}

function unknownKey(key: string, path: readonly PropertyKey[], { json, pointer }: Place): Problem {
  return unknownKeyProblem(key, keysAt(json, path), pointer + pointerOf(path));
}

/** The problem for an unknown key in the mapping at `pointer`, with the nearest known key as a hint. */
export function unknownKeyProblem(key: string, known: readonly string[], pointer: string): Problem {
  const hint = didYouMean(key, known) ?? (known.length > 0 ? `known keys: ${known.join(', ')}` : undefined);
  return {
    severity: 'error',
    pointer: pointer + pointerOf([key]),
    atKey: true,
    message: `unknown key "${key}"`,
    ...(hint === undefined ? {} : { hint }),
  };
}

/** The only alternative of a union whose outer shape fits: its issues say more than "no alternative fits". */
function likelyBranch(branches: readonly (readonly Issue[])[]): readonly Issue[] | undefined {
  const fitting = branches.filter(
    (issues) => !issues.some((issue) => issue.path.length === 0 && issue.code === 'invalid_type'),
  );
  return fitting.length === 1 ? fitting[0] : undefined;
}

function valueProblem(issue: Issue, path: readonly PropertyKey[], place: Place): Problem {
  const pointer = place.pointer + pointerOf(path);
  const schemas = schemasAt(place.json, path);
  const hidden = place.isHidden?.(pointer, issue.input) === true || schemas.some((schema) => schema.secret === true);
  const hint =
    issue.code === 'invalid_value' && !hidden ? didYouMean(issue.input, issue.values.map(String)) : undefined;
  return {
    severity: 'error',
    pointer,
    ...(issue.code === 'invalid_key' ? { atKey: true } : {}),
    message: messageOf(issue, path, schemas, hidden),
    ...(hint === undefined ? {} : { hint }),
  };
}

function messageOf(
  issue: Issue,
  path: readonly PropertyKey[],
  schemas: readonly JsonSchema[],
  hidden: boolean,
): string {
  if (issue.code === 'custom') return hidden ? withoutInput(issue) : issue.message;
  const expected = markedExpected(schemas) ?? ownWords(issue) ?? wholeNumber(issue, schemas) ?? describeExpected(issue);
  if (expected === undefined) return hidden ? withoutInput(issue) : issue.message;
  if (issue.input === undefined && path.length > 0)
    return `expected the key "${String(path.at(-1))}" (${expected}), got nothing`;
  return `expected ${expected}, got ${describeInput(issue.input, hidden)}`;
}

/** The expectation that the schema states by `.meta({ expected })`. */
function markedExpected(schemas: readonly JsonSchema[]): string | undefined {
  const marked = schemas.flatMap(({ expected }) => (expected === undefined ? [] : [expected]));
  return marked.length > 0 ? oneOf([...new Set(marked)]) : undefined;
}

const wholeNumber = ({ code }: Issue, schemas: readonly JsonSchema[]): string | undefined =>
  code === 'invalid_type' && schemas.some(({ type }) => type === 'integer') ? 'a whole number' : undefined;

/** The message of a check, with the value removed if quoted. */
const withoutInput = ({ message, input }: Issue): string =>
  typeof input === 'string' && input !== '' ? message.replaceAll(input, '[hidden]') : message;
