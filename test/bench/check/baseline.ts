import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PathResult } from '../report/results.ts';
import { type Baseline, type Comparison, compare, ratiosOf } from './compare.ts';

const FILE = join(import.meta.dirname, '../baseline.json');

function readBaseline(): Baseline {
  try {
    return JSON.parse(readFileSync(FILE, 'utf8'));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return {};
    throw error;
  }
}

/** Makes the ratios of this run those to compare with; paths that did not run keep theirs. */
export function saveBaseline(results: readonly PathResult[]): void {
  writeFileSync(FILE, `${JSON.stringify({ ...readBaseline(), ...ratiosOf(results) }, undefined, 2)}\n`);
}

/** Compares with the baseline and says what it found. */
export function check(results: readonly PathResult[], say: (line: string) => void): Comparison {
  const comparison = compare(results, readBaseline());
  const { lines, regressions, failures } = comparison;
  say('\nratios to the script by hand, and in the baseline:');
  for (const line of lines) say(`  ${line}`);
  if (regressions.length === 0) say('no regression over 25 %');
  for (const regression of regressions) say(`REGRESSION ${regression}`);
  for (const failure of failures) say(`FAILED ${failure}`);
  return comparison;
}
