import { nearest } from '@magpie/contract';
import type { z } from 'zod';

/** An issue as zod reports it with `reportInput`. */
export type Issue = z.core.$ZodIssue;

const SHOWN = 60;

/** Replaces the password in every URL of a text: `mqtt://user:[secret]@host`. */
export const redactUrls = (text: string): string =>
  text.replace(/([a-z][a-z0-9+.-]*:\/\/[^\s/?#:@]*):[^\s/?#]*@/gi, '$1:[secret]@');

/** What was written, for "got …". With `hidden` only its type, as for secrets and values from the environment. */
export function describeInput(input: unknown, hidden: boolean): string {
  if (input === undefined || input === null) return 'nothing';
  if (Array.isArray(input)) return 'a list';
  if (typeof input === 'object') return 'a mapping';
  if (hidden) return input === '' ? 'an empty text' : `a ${typeof input === 'string' ? 'text' : typeof input}`;
  if (typeof input !== 'string') return `${input}`;
  const text = redactUrls(input);
  return JSON.stringify(text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text);
}

const TYPES: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a mapping',
  record: 'a mapping',
  null: 'nothing',
};

/** What an issue says the value should have been, as a noun phrase; undefined when its own message is the best there is. */
export function describeExpected(issue: Issue): string | undefined {
  if (issue.code === 'invalid_type') return TYPES[issue.expected] ?? `a ${issue.expected}`;
  if (issue.code === 'invalid_value') return oneOf(issue.values.map((value) => `${String(value)}`));
  if (issue.code === 'too_small') return sized(issue.origin, `at least ${issue.minimum}`);
  if (issue.code === 'too_big') return sized(issue.origin, `at most ${issue.maximum}`);
  if (issue.code === 'not_multiple_of') return `a multiple of ${issue.divisor}`;
  if (issue.code === 'invalid_format') return expectedFormat(issue.format, issue.pattern);
  return undefined;
}

function expectedFormat(format: string, pattern: string | undefined): string {
  if (format === 'regex') return `a text of the form ${pattern}`;
  return format === 'url' ? 'a URL' : `a valid ${format}`;
}

function sized(origin: string, bound: string): string {
  if (origin === 'string') return `a text of ${bound} characters`;
  return origin === 'array' || origin === 'set' ? `${bound} entries` : `a number of ${bound}`;
}

/** `a`, `a or b`, `one of a, b, c`. */
export const oneOf = (values: readonly string[]): string =>
  values.length > 2 ? `one of ${values.join(', ')}` : values.join(' or ');

/** "did you mean …" for a misspelt word, undefined when nothing is near. */
export function didYouMean(word: unknown, candidates: Iterable<string>): string | undefined {
  const best = typeof word === 'string' ? nearest(word, candidates) : undefined;
  return best === undefined ? undefined : `did you mean "${best}"?`;
}
