import type { z } from 'zod';

/** An issue as zod reports it with `reportInput`. */
export type Issue = z.core.$ZodIssue;

const LONGEST_SHOWN = 60;

/**
 * Replaces the password in every URL of a text: `mqtt://user:[secret]@host`. The password is taken to end at the last
 * `@`, because people forget to percent-encode; hiding too much is safer than too little.
 */
export const redactUrls = (text: string): string =>
  text.replace(/([a-z][a-z0-9+.-]*:\/\/[^\s"'<>:@]*):[^\s"'<>]*@/gi, '$1:[secret]@');

/**
 * Describes an input for "got …". With `hidden` only its type is given, as for secrets and values from the environment.
 */
export function describeInput(input: unknown, hidden: boolean): string {
  if (input === undefined || input === null) return 'nothing';
  if (Array.isArray(input)) return 'a list';
  if (typeof input === 'object') return hidden || !hasText(input) ? 'a mapping' : `${input}`.slice(0, LONGEST_SHOWN);
  if (hidden) return input === '' ? 'an empty text' : `a ${typeof input === 'string' ? 'text' : typeof input}`;
  if (typeof input !== 'string') return `${input}`;
  const text = redactUrls(input);
  return JSON.stringify(text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN)}…` : text);
}

/** Whether a value has its own text form, such as a number that a double cannot hold. */
const hasText = (input: object): boolean => 'toString' in input && input.toString !== Object.prototype.toString;

const TYPES: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a mapping',
  record: 'a mapping',
  tuple: 'a list',
  never: 'no value',
  null: 'nothing',
};

/** The value an issue expected, as a noun phrase; undefined when the issue's own message says it best. */
export function describeExpected(issue: Issue): string | undefined {
  switch (issue.code) {
    case 'invalid_type':
      return TYPES[issue.expected] ?? `a ${issue.expected}`;
    case 'invalid_value':
      return oneOf(issue.values.map(String));
    case 'too_small':
      return sized(issue.origin, 'at least', issue.minimum);
    case 'too_big':
      return sized(issue.origin, 'at most', issue.maximum);
    case 'not_multiple_of':
      return `a multiple of ${issue.divisor}`;
    case 'invalid_format':
      return format(issue.format, issue.pattern);
    case 'invalid_key':
      return issue.issues.map(describeExpected).find((text) => text !== undefined);
    case 'invalid_union':
      return anyOf(issue.errors);
    default:
      return undefined;
  }
}

/** The distinct expectations of a union's alternatives. */
function anyOf(branches: readonly (readonly Issue[])[]): string | undefined {
  const each = branches.flatMap((issues) =>
    issues.slice(0, 1).map((issue) => ownWords(issue) ?? describeExpected(issue)),
  );
  const known = [...new Set(each.filter((text) => text !== undefined))];
  return known.length > 0 ? oneOf(known) : undefined;
}

/**
 * The expectation written by the author of the schema, as a noun phrase; undefined when the message is the library's.
 */
export function ownWords({ code, message }: Issue): string | undefined {
  return code === 'custom' ? undefined : /^expected (.+)$/s.exec(message)?.[1];
}

function format(name: string, pattern: string | undefined): string {
  if (name === 'regex') return `a text of the form ${pattern}`;
  return FORMATS[name] ?? `a valid ${name}`;
}

const FORMATS: Readonly<Record<string, string>> = {
  url: 'a URL',
  datetime: 'a time such as "2026-01-31T12:00:00Z" (RFC 3339)',
  base64: 'base64 with padding',
  uuid: 'a UUID',
};

function sized(origin: string, bound: string, count: number | bigint): string {
  const plural = Number(count) === 1 ? '' : 's';
  if (origin === 'string') return `a text of ${bound} ${count} character${plural}`;
  if (origin === 'array' || origin === 'set' || origin === 'map')
    return `${bound} ${count} ${plural === '' ? 'entry' : 'entries'}`;
  return `a number of ${bound} ${count}`;
}

/** `a`, `a or b`, `one of a, b, c`. */
export const oneOf = (values: readonly string[]): string =>
  values.length > 2 ? `one of ${values.join(', ')}` : values.join(' or ');
