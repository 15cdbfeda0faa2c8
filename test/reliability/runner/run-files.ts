import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { ROOT } from '../../../infra/checks/command.ts';
import type { Settings } from './arguments.ts';
import type { Machine, Versions } from './machine.ts';
import { reliabilityPage } from './page.ts';
import { type Failure, RUNS, type RunRecord, recordedRuns, runName, summarise } from './record.ts';
import { parseResults } from './results.ts';

/** The files of a run under way. They are complete after every `save`, whatever becomes of this process. */
export interface RunFiles {
  /** Rows of the tests, one JSON object per line; the tests append to it. */
  readonly rows: string;
  /** What the tests print. */
  readonly log: string;
  /** The record, also without `--record`. */
  readonly record: string;
  /** Writes the record as it stands, to every place where it belongs, and returns it. */
  save(state: RunRecord['state'], failures: readonly Failure[]): RunRecord;
}

/**
 * Makes the files of a run in data/reliability.
 * @throws Error when one of them, or the file of `--json`, cannot be written.
 */
export function openRunFiles(settings: Settings, machine: Machine, versions: Versions): RunFiles {
  const started = new Date();
  const { seed, kills, images, files } = settings;
  const name = runName(started, seed);
  const at = (extension: string): string => join(ROOT, 'data/reliability', `${name}${extension}`);
  const [rows, log, record] = [at('.rows.jsonl'), at('.log'), at('.json')];
  mkdirSync(dirname(rows), { recursive: true });
  for (const file of [rows, log]) writeFileSync(file, '');
  const copies = [record, ...(settings.json === undefined ? [] : [resolve(settings.json)])];
  const save: RunFiles['save'] = (state, failures) => {
    const results = parseResults(readFileSync(rows, 'utf8'));
    const current: RunRecord = {
      ...{ date: started.toISOString(), minutes: Math.round((Date.now() - started.getTime()) / 60_000), state },
      ...{ seed, kills, images, files, machine, versions, failures },
      faults: summarise(results.rows),
      findings: results.findings,
    };
    for (const copy of copies) replace(copy, toText(current));
    const hasResults = [current.faults, results.findings, failures].some(({ length }) => length > 0);
    if (settings.record && hasResults) addToPage(name, current);
    return current;
  };
  save('running', []);
  return { rows, log, record, save };
}

const toText = (record: RunRecord): string => `${JSON.stringify(record, undefined, 2)}\n`;

function addToPage(name: string, record: RunRecord): void {
  replace(join(ROOT, RUNS, `${name}.json`), toText(record));
  replace(join(ROOT, 'apps/docs/reliability.md'), reliabilityPage(recordedRuns()));
}

/** In one step, so that a reader never gets half a file. */
function replace(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(`${file}.new`, text);
  renameSync(`${file}.new`, file);
}
