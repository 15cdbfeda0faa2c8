import { appendFileSync } from 'node:fs';
import { basename } from 'node:path';
import { afterAll, expect } from 'vitest';
import { type Row, resultLine } from '../../runner/results.ts';
import { RESULTS } from '../settings.ts';

const HEADINGS: Readonly<Record<Exclude<keyof Row, 'note' | 'counts' | 'control'>, string>> = {
  fault: 'fault',
  path: 'path',
  times: 'times',
  acked: 'acked',
  lost: 'lost',
  excused: 'unsaved by broker',
  duplicates: 'duplicates',
  takenInAgain: 'of them taken in twice',
  disordered: 'disordered',
  noticed: 'noticed ms',
  resumed: 'resumed ms',
  rss: 'gateway RSS MB',
};

/**
 * Rows that are printed as one table when the tests of the file are over, and that go into the results file of a long run
 * at once. Called once per file, at the top level; rows are added with `push`.
 */
export function printedTable(): Row[] {
  const rows: Row[] = [];
  afterAll(() => console.log(renderTable(rows)));
  const keep = rows.push.bind(rows);
  rows.push = (...added) => {
    if (RESULTS !== undefined)
      appendFileSync(RESULTS, added.map((row) => resultLine({ file: testFile(), ...row })).join(''));
    return keep(...added);
  };
  return rows;
}

/** Prints what a test has measured that is no row of a table, a sentence a line; a long run keeps it. */
export function printFindings(findings: readonly string[]): void {
  console.log(findings.join('\n'));
  if (RESULTS !== undefined) appendFileSync(RESULTS, resultLine({ file: testFile(), findings }));
}

const testFile = (): string => basename(expect.getState().testPath ?? 'unknown', '.test.ts');

function renderTable(rows: readonly Row[]): string {
  const keys = Object.keys(HEADINGS).filter((key): key is keyof typeof HEADINGS => key in HEADINGS);
  const lines = [keys.map((key) => HEADINGS[key]), ...rows.map((row) => keys.map((key) => cell(shown(row)[key])))];
  const widths = keys.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)));
  return lines.map((line) => line.map((text, column) => text.padEnd(widths[column]!)).join('  ')).join('\n');
}

const shown = (row: Row): Row => ({
  ...row,
  fault: row.note === undefined ? row.fault : `${row.fault}, ${row.note}`,
  times: row.times ?? 1,
});

const cell = (value: string | number | undefined): string =>
  typeof value === 'number' ? String(Math.round(value)) : (value ?? '–');
