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

/** The path of an RFC 6901 pointer. */
export const pathOf = (pointer: string): readonly string[] =>
  pointer
    .split('/')
    .slice(1)
    .map((part) => part.replace(/~1/g, '/').replace(/~0/g, '~'));

/** RFC 6901 pointer of a path. */
export const pointerOf = (path: readonly PropertyKey[]): string =>
  path.map((part) => `/${String(part).replace(/~/g, '~0').replace(/\//g, '~1')}`).join('');
