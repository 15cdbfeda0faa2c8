/** One thing wrong with a configuration, located by JSON pointer and, inside an expression, by character range. */
export interface Problem {
  readonly severity: 'error' | 'warning';
  /** RFC 6901 pointer into the configuration, for example `/routes/alarms/when`. */
  readonly pointer: string;
  /** Whether the key itself (not its value) is wrong, as for an unknown key. */
  readonly atKey?: boolean;
  /** Character range inside the string value at `pointer`, for a caret. */
  readonly range?: { readonly start: number; readonly end: number };
  /** One sentence: what was expected and what was got. */
  readonly message: string;
  /** What to do about it, for example the nearest valid name. */
  readonly hint?: string;
}

/** More problems than anyone reads at once. */
export const MOST_PROBLEMS = 100;

/**
 * The first hundred problems, errors before warnings where there are more, with one more that says how many are left out. Whatever is
 * wrong with a file of megabytes, the answer stays of a size that can be shown.
 */
export function firstProblems(problems: readonly Problem[]): readonly Problem[] {
  if (problems.length <= MOST_PROBLEMS) return problems;
  const errors = problems.filter(({ severity }) => severity === 'error');
  const chosen = [...errors, ...problems.filter(({ severity }) => severity === 'warning')].slice(0, MOST_PROBLEMS);
  const left = problems.length - MOST_PROBLEMS;
  const severity = errors.length > 0 ? 'error' : 'warning';
  return [...chosen, { severity, pointer: '', message: `there are ${left} more problems that are not shown` }];
}

/** The path of an RFC 6901 pointer. */
export const pathOf = (pointer: string): readonly string[] =>
  pointer
    .split('/')
    .slice(1)
    .map((part) => part.replace(/~1/g, '/').replace(/~0/g, '~'));

/** RFC 6901 pointer of a path. */
export const pointerOf = (path: readonly PropertyKey[]): string =>
  path.map((part) => `/${String(part).replace(/~/g, '~0').replace(/\//g, '~1')}`).join('');
