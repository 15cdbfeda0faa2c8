import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../../../infra/checks/command.ts';
import type { Machine, Versions } from '../../reliability/runner/machine.ts';
import type { Failure } from '../../reliability/runner/record.ts';
import type { AttackFigures } from './figures.ts';

/** One run of the security tests, as it is kept. */
export interface SecurityRun {
  /** When it started, in ISO 8601. */
  readonly date: string;
  readonly minutes: number;
  readonly form: 'short' | 'long';
  readonly files: readonly string[];
  readonly machine: Machine;
  readonly versions: Versions;
  readonly failures: readonly Failure[];
  readonly attacks: readonly AttackFigures[];
}

/** Where recorded runs are kept, from the root of the repository. */
export const SECURITY_RUNS = 'apps/docs/security/runs';

/** The names of the figures that must be 0. */
export const HARM = ['crashes', 'hangs', 'leaks', 'losses', 'refusals'] as const;

/** What a run adds up to; memory is the most of all its attacks, in MB. */
export function totalsOf({ attacks }: Pick<SecurityRun, 'attacks'>) {
  const sum = (key: 'inputs' | (typeof HARM)[number]): number =>
    attacks.reduce((total, attack) => total + attack[key], 0);
  return {
    attacks: attacks.length,
    ...{ inputs: sum('inputs'), crashes: sum('crashes'), hangs: sum('hangs'), leaks: sum('leaks') },
    ...{ losses: sum('losses'), refusals: sum('refusals') },
    peak: Math.max(0, ...attacks.map(({ peak }) => peak)),
    growth: Math.max(0, ...attacks.map(({ growth }) => growth)),
  };
}

/** All recorded runs, the oldest first. */
export function recordedRuns(directory: string = join(ROOT, SECURITY_RUNS)): readonly SecurityRun[] {
  return namesIn(directory)
    .filter((name) => name.endsWith('.json'))
    .sort()
    .map((name) => JSON.parse(readFileSync(join(directory, name), 'utf8')) as SecurityRun); // written by this program
}

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch {
    return []; // Nothing has been recorded yet.
  }
}
