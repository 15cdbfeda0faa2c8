import { JsonNumber } from '@magpie/contract';
import type { Language, Scope } from '../expression/expression.ts';
import type { PlainValue } from '../expression/values.ts';
import { isRecord, type Report } from '../report.ts';
import { compileTemplate } from './template.ts';

/** A value of any form whose strings are templates. */
export interface Tree {
  /** Whether there is no expression in it. */
  readonly constant: boolean;
  /** The value with all templates filled in. Throws `Rejected`. */
  value(scope: Scope): PlainValue;
}

const MAX_DEPTH = 32;

/**
 * Compiles a value whose leaves are templates: mappings keep their keys literally, numbers, booleans and null stay what
 * they are. Undefined after reporting what is wrong.
 */
export function compileTree(value: unknown, language: Language, report: Report, depth = 0): Tree | undefined {
  if (depth > MAX_DEPTH) return void report.error(`nested more than ${MAX_DEPTH} deep`);
  if (typeof value === 'string') return compileText(value, language, report);
  if (Array.isArray(value)) {
    return branch([...value.entries()], language, report, depth, (parts) => parts.map(([, inner]) => inner));
  }
  if (isRecord(value)) {
    return branch(Object.entries(value), language, report, depth, (parts) => Object.fromEntries(parts));
  }
  if (value === null || typeof value === 'number' || typeof value === 'boolean' || value instanceof JsonNumber) {
    return { constant: true, value: () => value };
  }
  return void report.error(`expected text, a number, true, false, null, a list or a mapping, got ${typeof value}`);
}

function compileText(source: string, language: Language, report: Report): Tree | undefined {
  const template = compileTemplate(source, language, report);
  return template && { constant: template.constant !== undefined, value: template.value };
}

type Parts = readonly (readonly [PropertyKey, PlainValue])[];

function branch(
  entries: readonly (readonly [PropertyKey, unknown])[],
  language: Language,
  report: Report,
  depth: number,
  assemble: (parts: Parts) => PlainValue,
): Tree | undefined {
  const parts = entries.map(([key, inner]) => [key, compileTree(inner, language, report.at(key), depth + 1)] as const);
  const whole = parts.flatMap(([key, part]) => (part === undefined ? [] : [[key, part] as const]));
  if (whole.length < parts.length) return undefined;
  const fill = (scope: Scope): PlainValue => assemble(whole.map(([key, part]) => [key, part.value(scope)] as const));
  return { constant: whole.every(([, part]) => part.constant), value: fill };
}
