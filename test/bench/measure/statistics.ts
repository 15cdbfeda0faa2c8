/** The value in the middle; of an even number the mean of both. NaN of nothing. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  if (sorted.length % 2 === 1) return sorted[middle]!;
  return (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** The value that `share` (0 to 1) of all values do not exceed, by nearest rank. NaN of nothing. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}

/** Middle and ends of some values. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** Middle and ends. All NaN of nothing. */
export const spread = (values: readonly number[]): Spread => ({
  median: median(values),
  min: values.length === 0 ? Number.NaN : Math.min(...values),
  max: values.length === 0 ? Number.NaN : Math.max(...values),
});

/** Ratios of what was measured in the same round; rounds that one of both lacks are left out. */
export function pairedRatios(
  values: readonly (number | undefined)[],
  base: readonly (number | undefined)[],
): readonly number[] {
  return values.flatMap((value, round) => {
    const other = base[round];
    return value === undefined || other === undefined || other === 0 ? [] : [value / other];
  });
}
