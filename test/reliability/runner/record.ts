import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../../../infra/checks/command.ts';
import type { Machine, Versions } from './machine.ts';
import type { Counted, Figures, Findings, ResultRow } from './results.ts';

/** What rows add up to. Times in ms, memory in MB, both the worst. */
interface Sums extends Figures {
  readonly times: number;
  readonly noticed?: number;
  readonly resumed?: number;
}

/** What all rows of one fault on one path of one file add up to. */
export interface FaultTotals extends Sums, Pick<ResultRow, 'file' | 'fault' | 'path' | 'counts' | 'control'> {}

/** One fault over all its paths, which it hit at the same time: it happened as often as on the path where it did most. */
export interface FaultOverPaths extends Omit<FaultTotals, 'path'> {
  readonly paths: readonly string[];
}

/** A test that did not pass, or a file that could not be run to its end. */
export interface Failure {
  readonly file: string;
  readonly test: string;
  readonly message: string;
}

/** One run of the long form, as it is kept. */
export interface RunRecord {
  /** When it started, in ISO 8601. */
  readonly date: string;
  readonly minutes: number;
  readonly state: 'running' | 'interrupted' | 'ended';
  readonly seed: number;
  readonly kills: number;
  readonly images: number;
  readonly files: readonly string[];
  readonly machine: Machine;
  readonly versions: Versions;
  readonly failures: readonly Failure[];
  readonly faults: readonly FaultTotals[];
  /** Older records have none. */
  readonly findings?: readonly Findings[];
}

/** Where recorded runs are kept, from the root of the repository. */
export const RUNS = 'apps/docs/reliability/runs';

/** Name of a run without an extension: two runs with one seed have different names. */
export const runName = (date: Date, seed: number): string =>
  `${date.toISOString().slice(0, 19).replaceAll(':', '')}-${seed}`;

/** Adds up rows per file, fault and path, in the order in which they first appear. */
export function summarise(rows: readonly ResultRow[]): readonly FaultTotals[] {
  const found = new Map<string, FaultTotals>();
  for (const { times = 1, noticed, resumed, note: _, ...row } of rows) {
    const next = {
      ...{ ...row, times, rss: Math.round(row.rss) },
      ...(noticed === undefined ? {} : { noticed: Math.round(noticed) }),
      ...(resumed === undefined ? {} : { resumed: Math.round(resumed) }),
    };
    const key = JSON.stringify([row.file, row.fault, row.path]);
    const before = found.get(key);
    found.set(key, before ? added(before, next) : next);
  }
  return [...found.values()];
}

/** Adds to totals what others count; everything else stays. */
function added<Totals extends Sums>(one: Totals, other: Sums): Totals {
  return {
    ...one,
    times: one.times + other.times,
    acked: one.acked + other.acked,
    lost: one.lost + other.lost,
    excused: one.excused + other.excused,
    duplicates: one.duplicates + other.duplicates,
    takenInAgain: one.takenInAgain + other.takenInAgain,
    disordered: one.disordered + other.disordered,
    ...worst('noticed', one.noticed, other.noticed),
    ...worst('resumed', one.resumed, other.resumed),
    rss: Math.max(one.rss, other.rss),
  };
}

function worst(name: 'noticed' | 'resumed', ...values: readonly (number | undefined)[]): object {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? {} : { [name]: Math.max(...known) };
}

/** Adds up the totals of one or several runs per file and fault; what a test broke on purpose is left out. */
export function overPaths(runs: readonly Pick<RunRecord, 'faults'>[]): readonly FaultOverPaths[] {
  const found = new Map<string, FaultOverPaths>();
  for (const { faults } of runs) {
    for (const [key, once] of ofOneRun(faults)) {
      const before = found.get(key);
      const paths = [...new Set([...(before?.paths ?? []), ...once.paths])];
      found.set(key, before ? { ...added(before, once), paths } : once);
    }
  }
  return [...found.values()];
}

function ofOneRun(faults: readonly FaultTotals[]): ReadonlyMap<string, FaultOverPaths> {
  const found = new Map<string, FaultOverPaths>();
  for (const { path, ...totals } of faults.filter(({ control }) => !control)) {
    const key = JSON.stringify([totals.file, totals.fault]);
    const before = found.get(key) ?? { ...totals, ...NOTHING, paths: [] };
    const times = Math.max(before.times, totals.times);
    found.set(key, { ...added(before, totals), times, paths: [...before.paths, path] });
  }
  return found;
}

const NOTHING = { times: 0, acked: 0, lost: 0, excused: 0, duplicates: 0, takenInAgain: 0, disordered: 0, rss: 0 };

/** How often a gateway was killed, or its power cut, in these runs. */
export const counted = (what: Counted, runs: readonly Pick<RunRecord, 'faults'>[]): number =>
  overPaths(runs)
    .filter(({ counts }) => counts === what)
    .reduce((sum, { times }) => sum + times, 0);

/** All recorded runs, the oldest first. */
export function recordedRuns(directory: string = join(ROOT, RUNS)): readonly RunRecord[] {
  return namesIn(directory)
    .filter((name) => name.endsWith('.json'))
    .sort()
    .map((name) => JSON.parse(readFileSync(join(directory, name), 'utf8')) as RunRecord); // written by this program
}

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch {
    return []; // Nothing has been recorded yet.
  }
}
