import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PAGE_FOLDER, readResults, resultsJson } from '../../report/publish.ts';
import { chartOf, microChartFile, microPage } from './page.ts';
import type { GroupResult } from './results.ts';

const RESULTS = 'micro.json';

/** Writes page, chart and figures. Results of other groups that were published before stay, in the order of `names`. */
export function publishMicro(fresh: readonly GroupResult[], names: readonly string[], folder = PAGE_FOLDER): void {
  mkdirSync(folder, { recursive: true });
  const all = new Map(
    [...readResults<GroupResult>(join(folder, RESULTS)), ...fresh].map((result) => [result.group, result]),
  );
  const results = names.flatMap((name) => all.get(name) ?? []);
  for (const result of fresh) {
    const chart = chartOf(result);
    if (chart !== undefined) writeFileSync(join(folder, microChartFile(result.group)), chart);
  }
  writeFileSync(join(folder, RESULTS), resultsJson(results));
  writeFileSync(join(folder, 'micro.md'), microPage(results));
}
