import distance from 'damerau-levenshtein';

/**
 * The candidate nearest to `word` by edit distance (swapping two neighbours is one edit), if it is near enough for a
 * likely typo: one edit for words of up to three characters, else a third of the length. Case is ignored.
 */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined;
  let limit = (word.length <= 3 ? 1 : Math.max(2, Math.floor(word.length / 3))) + 1;
  for (const candidate of candidates) {
    // The distance is at least the difference in length: long words cost nothing.
    if (Math.abs(word.length - candidate.length) >= limit) continue;
    const { steps } = distance(word.toLowerCase(), candidate.toLowerCase());
    if (steps < limit) [best, limit] = [candidate, steps];
  }
  return best;
}

/** "did you mean …" for a misspelt word; undefined when no candidate is near, or the word is correct. */
export function didYouMean(word: unknown, candidates: Iterable<string>): string | undefined {
  const best = typeof word === 'string' ? nearest(word, candidates) : undefined;
  return best === undefined || best === word ? undefined : `did you mean "${best}"?`;
}
