import { isDeepStrictEqual } from 'node:util';
import { JsonNumber } from '@magpie/contract';
import { isRecord } from '../report.ts';

/** A delivery or an answer as a test of a route sees it; `error` instead when it could not be made. */
export type Fields = Readonly<Record<string, unknown>>;

/** What differs between the fields that a test names and what was made, as sentences. */
export function differencesOf(expected: Fields, got: Fields): string[] {
  if (got.error !== undefined) return [String(got.error)];
  return Object.entries(expected).flatMap(([field, value]) => {
    if (field === 'headers' && isRecord(value) && isRecord(got.headers)) {
      const { headers } = got;
      return Object.entries(value).flatMap(([name, inner]) =>
        difference(`header ${name}`, inHeader(inner), headers[name]),
      );
    }
    return difference(field, value, got[field]);
  });
}

/** A number that no double holds is text in a header. */
const inHeader = (value: unknown): unknown => (value instanceof JsonNumber ? value.digits : value);

const difference = (field: string, expected: unknown, got: unknown): string[] =>
  isDeepStrictEqual(expected, got) ? [] : [`${field}: expected ${shown(expected)}, got ${shown(got)}`];

const shown = (value: unknown): string => (value === undefined ? 'nothing' : JSON.stringify(value));
