import { z } from 'zod';

type Issue = z.core.$ZodIssue;

/** Names of the keys that a schema knows at a path below it; empty where there is no mapping. */
export function keysAt(schema: z.core.$ZodType, path: readonly PropertyKey[]): readonly string[] {
  let inner: z.core.$ZodType | undefined = unwrapped(schema);
  for (const step of path) {
    if (inner instanceof z.ZodObject) inner = inner.shape[String(step)];
    else if (inner instanceof z.ZodArray) inner = inner.element;
    else return [];
    if (inner === undefined) return [];
    inner = unwrapped(inner);
  }
  return inner instanceof z.ZodObject ? Object.keys(inner.shape) : [];
}

/** The schema inside `optional`, `nullable` and defaults. */
function unwrapped(schema: z.core.$ZodType): z.core.$ZodType {
  if (
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodNullable ||
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault
  ) {
    return unwrapped(schema.unwrap());
  }
  return schema;
}

/** What an issue says, as "expected …, got …" where it knows both. The input must have been reported. */
export function wordIssue(issue: Issue): string {
  const expected = expectedBy(issue);
  if (expected === undefined) return issue.message.replace(/^Invalid input: /, '');
  return `expected ${expected}, got ${shown(issue.input)}`;
}

function expectedBy(issue: Issue): string | undefined {
  switch (issue.code) {
    case 'invalid_type':
      return NAMES[issue.expected] ?? `a ${issue.expected}`;
    case 'invalid_value':
      return oneOf(issue.values.map(String));
    case 'too_small':
      return `at least ${issue.minimum}${unitOf(issue.origin)}`;
    case 'too_big':
      return `at most ${issue.maximum}${unitOf(issue.origin)}`;
    case 'invalid_union': {
      const each = issue.errors.flatMap((branch) => (branch[0] && branch.length === 1 ? expectedBy(branch[0]) : []));
      const known = [...new Set(each.filter((text) => text !== undefined))];
      return issue.message.startsWith('Invalid input') && known.length > 0 ? oneOf(known) : undefined;
    }
    default:
      return undefined;
  }
}

const NAMES: Readonly<Record<string, string>> = {
  string: 'a text',
  object: 'a mapping',
  record: 'a mapping',
  array: 'a list',
  boolean: 'true or false',
  int: 'a whole number',
};

const unitOf = (origin: string): string => (origin === 'string' ? ' characters' : origin === 'array' ? ' entries' : '');

const oneOf = (texts: readonly string[]): string =>
  texts.length < 2 ? (texts[0] ?? '') : `${texts.slice(0, -1).join(', ')} or ${texts.at(-1)}`;

const LONGEST = 60;

function shown(input: unknown): string {
  if (input === undefined) return 'nothing';
  if (Array.isArray(input)) return 'a list';
  if (input !== null && typeof input === 'object') return 'a mapping';
  const text = typeof input === 'string' ? JSON.stringify(input) : String(input);
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
}
