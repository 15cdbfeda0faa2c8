import { JsonNumber } from '@magpie/contract';
import { type Issue, type Problem, pointerOf, problemsOf, unknownKeyProblem } from '@magpie/schema-messages';
import type { z } from 'zod';

/** What may be said about a problem besides its message. */
export interface ProblemDetails {
  readonly hint?: string | undefined;
  readonly range?: { readonly start: number; readonly end: number } | undefined;
  readonly atKey?: boolean;
}

/** Collects the problems found at and below one place of the configuration. */
export interface Report {
  /** RFC 6901 pointer of the place. */
  readonly pointer: string;
  /** The same collection, one or more steps deeper. */
  at(...path: PropertyKey[]): Report;
  /** Adds a problem as it is. */
  add(problem: Problem): void;
  error(message: string, details?: ProblemDetails): void;
  warn(message: string, details?: ProblemDetails): void;
}

/** A report that adds to `problems`; `pointer` is where it starts. */
export function createReport(problems: Problem[], pointer = ''): Report {
  const add = (severity: Problem['severity'], message: string, details: ProblemDetails): void => {
    const { hint, range, atKey } = details;
    problems.push({
      severity,
      pointer,
      message,
      ...(hint === undefined ? {} : { hint }),
      ...(range === undefined ? {} : { range }),
      ...(atKey === undefined ? {} : { atKey }),
    });
  };
  return {
    pointer,
    add: (problem) => void problems.push(problem),
    at: (...path) => createReport(problems, pointer + pointerOf(path)),
    error: (message, details = {}) => add('error', message, details),
    warn: (message, details = {}) => add('warning', message, details),
  };
}

/** Reports an unknown key, with the nearest valid one. */
export const reportUnknownKey = (report: Report, key: string, valid: readonly string[]): void =>
  report.add(unknownKeyProblem(key, valid, report.pointer));

/** Reports the issues of a failed zod parse; its input must have been reported. */
export function reportIssues(report: Report, issues: readonly Issue[], schema: z.core.$ZodType): void {
  for (const problem of problemsOf(schema, issues, { pointer: report.pointer })) report.add(problem);
}

/** Whether a parsed YAML or JSON value is a mapping. */
export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof JsonNumber);
