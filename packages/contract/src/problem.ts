/** One thing wrong with a configuration, located by JSON pointer and, inside an expression, by character range. */
export interface Problem {
  readonly severity: 'error' | 'warning';
  /** RFC 6901 pointer into the configuration, for example `/routes/alarms/when`. */
  readonly pointer: string;
  /** Whether the key itself (not its value) is wrong, as for an unknown key. */
  readonly atKey?: boolean;
  /** Character range inside the string value at `pointer`, for a caret. */
  readonly range?: { readonly start: number; readonly end: number };
  /** What was expected and what was got, one sentence. */
  readonly message: string;
  /** What to do about it, for example the nearest valid name. */
  readonly hint?: string;
}

/** RFC 6901 pointer of a path. */
export const pointerOf = (path: readonly PropertyKey[]): string =>
  path.map((part) => `/${String(part).replace(/~/g, '~0').replace(/\//g, '~1')}`).join('');

/** The candidate nearest to `word` by edit distance, if near enough to be a likely slip. */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined;
  let bestDistance = (word.length <= 3 ? 1 : Math.max(2, Math.floor(word.length / 3))) + 1;
  for (const candidate of candidates) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

/** Optimal string alignment distance: a swap of neighbours counts one. */
function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min(previous[j]! + 1, row[j - 1]! + 1, previous[j - 1]! + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) cost = Math.min(cost, before[j - 2]! + 1);
      row.push(cost);
    }
    [before, previous] = [previous, row];
  }
  return previous[b.length]!;
}
