import type { PathResult } from '../report/results.ts';
import { summarize } from '../report/summary.ts';

/** A ratio may get worse by this part before it is a regression. */
const TOLERANCE = 0.25;

/** Ratios of one contender to the base of its path. */
export interface Ratios {
  readonly throughput: number;
  readonly cpu: number;
}

/** Ratios by path and contender. */
export type Baseline = Readonly<Record<string, Readonly<Record<string, Ratios>>>>;

/** The ratios of a run, for the file. Rows without figures are left out. */
export function ratiosOf(results: readonly PathResult[]): Baseline {
  const entries = results.map((result) => {
    const rows = result.rows.flatMap((row) => {
      const summary = summarize(result, row);
      if (!summary?.ratio || !summary.cpuRatio) return [];
      const ratios: Ratios = { throughput: short(summary.ratio.median), cpu: short(summary.cpuRatio.median) };
      return [[row.contender, ratios] as const];
    });
    return [result.path, Object.fromEntries(rows)] as const;
  });
  return Object.fromEntries(entries.filter(([, rows]) => Object.keys(rows).length > 0));
}

const short = (value: number): number => Number(value.toPrecision(3));

/** What a comparison found, as sentences. */
export interface Comparison {
  readonly regressions: readonly string[];
  /** Where the gateway itself could not be run. */
  readonly failures: readonly string[];
  readonly lines: readonly string[];
}

/** Compares a run with the baseline; what only one of both has is said, and is no regression. */
export function compare(results: readonly PathResult[], baseline: Baseline): Comparison {
  const regressions: string[] = [];
  const lines: string[] = [];
  for (const [path, rows] of Object.entries(ratiosOf(results))) {
    for (const [contender, now] of Object.entries(rows)) {
      const before = baseline[path]?.[contender];
      const than = before ? `baseline ${before.throughput} × and ${before.cpu} ×` : 'not in the baseline';
      lines.push(`${path}, ${contender}: throughput ${now.throughput} ×, CPU ${now.cpu} ×; ${than}`);
      if (before) regressions.push(...worse(now, before).map((sentence) => `${path}, ${contender}: ${sentence}`));
    }
  }
  const unmeasured = results.flatMap(({ path, rows }) =>
    rows.flatMap(({ contender, state, reason }) =>
      state === 'measured' ? [] : [`${path}, ${contender}: not compared, ${state}: ${reason}`],
    ),
  );
  const failures = results.flatMap(({ path, rows }) =>
    rows.flatMap(({ contender, process, state, reason }) =>
      state === 'failed' && process === 'magpie' ? [`${path}, ${contender}: ${reason}`] : [],
    ),
  );
  return { regressions, failures, lines: [...lines, ...unmeasured] };
}

function worse(now: Ratios, before: Ratios): readonly string[] {
  return [
    ...(now.throughput < before.throughput * (1 - TOLERANCE)
      ? [`throughput fell from ${before.throughput} × to ${now.throughput} ×`]
      : []),
    ...(now.cpu > before.cpu * (1 + TOLERANCE) ? [`CPU rose from ${before.cpu} × to ${now.cpu} ×`] : []),
  ];
}
