import { errorMessage } from '@magpie/contract';
import { RE2JS } from 're2js';

/**
 * Name under which `matches()` is evaluated. The language's own `matches` backtracks (`^(a+)+$` stalls the process) and
 * cannot be overridden, so calls are renamed after parsing.
 */
export const LINEAR_MATCH = 'matchesLinearly';

/** Compiled patterns by their text. All are literals of the configuration, so the bound is rarely reached. */
const compiled = new Map<string, RE2JS>();
const MAX_COMPILED = 10_000;

function compilePattern(pattern: string): RE2JS {
  const known = compiled.get(pattern);
  if (known !== undefined) return known;
  if (compiled.size >= MAX_COMPILED) compiled.clear();
  const fresh = RE2JS.compile(pattern);
  compiled.set(pattern, fresh);
  return fresh;
}

/** What is wrong with a regular expression (RE2 syntax: no backreferences, no lookaround); undefined when it is fine. */
export function checkPattern(pattern: string): string | undefined {
  try {
    compilePattern(pattern);
    return undefined;
  } catch (error) {
    return errorMessage(error);
  }
}

/** Whether `pattern` occurs in `text`, in time linear in the text. */
export const matchesLinearly = (text: string, pattern: string): boolean => compilePattern(pattern).test(text);

/** Patterns compile to programs of some 10 instructions; a much larger one takes longer for each character. */
const USUAL_PROGRAM = 64;

/** Steps before the first character is looked at. */
const CALL_STEPS = 12;

/** What `matchesLinearly` costs: some 20 ns a character, more for a pattern such as `[a-z]{100}`, and the call. */
export function stepsToMatch(text: unknown, pattern: unknown): number {
  if (typeof text !== 'string' || typeof pattern !== 'string') return 0;
  return CALL_STEPS + (text.length / 3) * Math.max(1, compilePattern(pattern).programSize() / USUAL_PROGRAM);
}
