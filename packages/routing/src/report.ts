import { nearest, type Problem, pointerOf } from '@magpie/contract';
import type { z } from 'zod';
import { keysAt, wordIssue } from './wording.ts';

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
    at: (...path) => createReport(problems, pointer + pointerOf(path)),
    error: (message, details = {}) => add('error', message, details),
    warn: (message, details = {}) => add('warning', message, details),
  };
}

/** Reports a key that nobody reads, with the nearest of the keys that would be read here. */
export function reportUnknownKey(report: Report, key: string, valid: readonly string[]): void {
  const near = nearest(key, valid);
  const hint = near === undefined ? `expected one of: ${valid.join(', ')}` : `did you mean "${near}"?`;
  report.at(key).error(`unknown key "${key}"`, { hint, atKey: true });
}

/**
 * Turns the issues of a failed zod parse (with its input reported) into problems; unknown keys get the nearest valid one of
 * their place.
 */
export function reportIssues(report: Report, issues: readonly z.core.$ZodIssue[], schema: z.core.$ZodType): void {
  for (const issue of issues) {
    const place = report.at(...issue.path);
    if (issue.code !== 'unrecognized_keys') place.error(wordIssue(issue));
    else for (const key of issue.keys) reportUnknownKey(place, key, keysAt(schema, issue.path));
  }
}

/** Whether a parsed YAML or JSON value is a mapping. */
export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
