import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { chart } from './chart.ts';
import { chartFile, page } from './page.ts';
import type { PathResult } from './results.ts';
import { scaleChart } from './scale-chart.ts';
import { scalePage } from './scale-page.ts';
import type { ScaleResult } from './scale-results.ts';

/** Where the page, its charts and the figures behind them are. */
export const PAGE_FOLDER = join(import.meta.dirname, '../../../apps/docs/performance');

const RESULTS = 'results.json';
const SCALE_RESULTS = 'scale.json';

/** Replaces the results of the same paths and keeps the others, in the order of `names`; paths that are gone go. */
export const merge = (known: readonly PathResult[], fresh: readonly PathResult[], names: readonly string[]) =>
  merged(known, fresh, names, ({ path }) => path);

/** Writes page, charts and figures. Results of other paths that were published before stay. */
export function publish(fresh: readonly PathResult[], names: readonly string[], folder = PAGE_FOLDER): void {
  mkdirSync(folder, { recursive: true });
  const results = merge(readResults<PathResult>(join(folder, RESULTS)), fresh, names);
  for (const result of fresh) writeFileSync(join(folder, chartFile(result.path)), chart(result));
  writeFileSync(join(folder, RESULTS), resultsJson(results));
  writeFileSync(join(folder, 'README.md'), page(results));
}

/** The same for series and their page. */
export function publishScale(fresh: readonly ScaleResult[], names: readonly string[], folder = PAGE_FOLDER): void {
  mkdirSync(folder, { recursive: true });
  const results = merged(readResults<ScaleResult>(join(folder, SCALE_RESULTS)), fresh, names, ({ series }) => series);
  for (const result of fresh) writeFileSync(join(folder, chartFile(result.series)), scaleChart(result));
  writeFileSync(join(folder, SCALE_RESULTS), resultsJson(results));
  writeFileSync(join(folder, 'scale.md'), scalePage(results));
}

function merged<T>(known: readonly T[], fresh: readonly T[], names: readonly string[], nameOf: (result: T) => string) {
  const all = new Map([...known, ...fresh].map((result) => [nameOf(result), result]));
  return names.flatMap((name): readonly T[] => {
    const found = all.get(name);
    return found ? [found] : [];
  });
}

/** Results that were published before; none when there is no such file. */
export function readResults<Result>(file: string): readonly Result[] {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw new Error(`${file} cannot be read; remove it to start anew`, { cause: error });
  }
}

/** Results as JSON, numbers with four digits: more would be noise. */
export const resultsJson = (results: readonly object[]): string =>
  `${JSON.stringify(results, (_, value) => (typeof value === 'number' ? Number(value.toPrecision(4)) : value), 2)}\n`;
