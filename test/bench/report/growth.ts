import { exponent, type Point, perUnit } from '../measure/slope.ts';
import { median, pairedRatios, type Spread, spread } from '../measure/statistics.ts';
import type { Goal, ScaleResult, ScaleRow } from './scale-results.ts';

/** How a series grows. */
export interface Growth {
  /** Exponent of the cost: 0 is flat, 1 in proportion. NaN of fewer than two sizes. */
  readonly cost: number;
  /** Bytes of memory per unit. NaN of fewer than two sizes. */
  readonly bytesPerUnit: number;
}

const measured = ({ rows }: Pick<ScaleResult, 'rows'>): readonly ScaleRow[] =>
  rows.filter(({ state }) => state === 'measured');

/** The values of a column, of all rounds of a size; undefined where there are none. */
export function valuesOf(row: ScaleRow, key: string): Spread | undefined {
  const values = row.figures[key] ?? [];
  return row.state === 'measured' && values.length > 0 ? spread(values) : undefined;
}

/** The medians of a column, by size. */
export const pointsOf = (result: Pick<ScaleResult, 'rows'>, key: string): readonly Point[] =>
  measured(result).flatMap((row) => {
    const values = valuesOf(row, key);
    return values ? [{ size: row.size, value: values.median }] : [];
  });

/** Slopes of cost and memory over all sizes that were measured. */
export const growthOf = (result: ScaleResult): Growth => ({
  cost: exponent(pointsOf(result, result.cost)),
  bytesPerUnit: perUnit(pointsOf(result, result.memory)) * 2 ** 20,
});

/** The cost of a size as a multiple of that of the smallest: the median of the rounds. Undefined without either. */
export function ratioToFirst({ rows, cost }: ScaleResult, row: ScaleRow): number | undefined {
  const [first] = rows;
  if (!first || first === row) return undefined;
  return ratio(first, row, cost);
}

const ratio = (from: ScaleRow, to: ScaleRow, key: string): number | undefined => {
  if (from.state !== 'measured' || to.state !== 'measured') return undefined;
  const ratios = pairedRatios(to.figures[key] ?? [], from.figures[key] ?? []);
  return ratios.length > 0 ? median(ratios) : undefined;
};

/** What became of a goal; undefined when its sizes were not measured. */
export function judge(
  { rows }: Pick<ScaleResult, 'rows'>,
  { figure, from, to, most }: Goal,
): { value: number; reached: boolean } | undefined {
  const find = (wanted: number): ScaleRow | undefined => rows.find(({ size }) => size === wanted);
  const [row, base] = [find(to), from === undefined ? undefined : find(from)];
  if (!row || (from !== undefined && !base)) return undefined;
  const value = base ? ratio(base, row, figure) : valuesOf(row, figure)?.median;
  return value === undefined || Number.isNaN(value) ? undefined : { value, reached: value <= most };
}
