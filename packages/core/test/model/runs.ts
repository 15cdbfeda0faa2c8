/**
 * How often and from which seed a model test runs: `runs` times, or with `MAGPIE_RUNS` that many times `share`; from
 * `MAGPIE_SEED` when it is given. A failure prints the seed it came from.
 */
export function modelRuns(runs: number, share = 1): { numRuns: number; seed?: number } {
  const { MAGPIE_RUNS: wanted, MAGPIE_SEED: seed } = process.env;
  const numRuns = wanted === undefined ? runs : Math.max(1, Math.round(Number(wanted) * share));
  return { numRuns, ...(seed === undefined ? {} : { seed: Number(seed) }) };
}
