/** A figure at a size. */
export interface Point {
  readonly size: number;
  readonly value: number;
}

/** Slope of the line through some points by least squares; NaN of fewer than two different `x`. */
function leastSquares(points: readonly (readonly [x: number, y: number])[]): number {
  const count = points.length;
  const meanX = points.reduce((sum, [x]) => sum + x, 0) / count;
  const meanY = points.reduce((sum, [, y]) => sum + y, 0) / count;
  const spreadX = points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
  if (count < 2 || spreadX === 0) return Number.NaN;
  return points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0) / spreadX;
}

/**
 * How a cost grows with size: the exponent of `size ** exponent` that fits best, by least squares of the logarithms. 0 is
 * flat, 1 in proportion. What has no logarithm is left out; NaN of fewer than two sizes.
 */
export const exponent = (points: readonly Point[]): number =>
  leastSquares(
    points
      .filter(({ size, value }) => size > 0 && value > 0)
      .map(({ size, value }) => [Math.log(size), Math.log(value)]),
  );

/** What one more unit of size adds, by least squares. NaN of fewer than two sizes. */
export const perUnit = (points: readonly Point[]): number =>
  leastSquares(points.filter(({ value }) => Number.isFinite(value)).map(({ size, value }) => [size, value]));
