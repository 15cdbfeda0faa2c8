import { appendFileSync } from 'node:fs';
import { basename } from 'node:path';
import { afterAll, expect } from 'vitest';

/** One line of the table that a file prints at its end. Times in ms. */
export interface Row {
  /** The same words in every run: rows of equal faults are added up. */
  readonly fault: string;
  /** What was measured besides, printed with the fault. */
  readonly note?: string;
  readonly path: string;
  /** How often the fault happened. Default 1. */
  readonly times?: number;
  /** Counted over all recorded runs: kills with -9 of a gateway under load, or images of its disk after a power cut. */
  readonly counts?: 'kills' | 'images';
  /** Something was broken on purpose to show that a loss would be seen: what is lost here is no loss of the gateway. */
  readonly control?: true;
  readonly acked: number;
  readonly lost: number;
  /** Acknowledged by a broker that was killed before it had saved the message: outside the promise. */
  readonly excused: number;
  readonly duplicates: number;
  readonly takenInAgain: number;
  readonly disordered: number;
  readonly noticed: number | undefined;
  readonly resumed: number | undefined;
  readonly rss: number;
}

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

/** File that rows and findings are also appended to, as they come: one JSON object per line. */
const RESULTS = process.env.MAGPIE_RESULTS;

/**
 * Rows that are printed as one table when the tests of the file are over, and that go into the results file of a long run
 * at once. Called once per file, at the top level; rows are added with `push`.
 */
export function printedTable(): Row[] {
  const rows: Row[] = [];
  afterAll(() => console.log(renderTable(rows)));
  const keep = rows.push.bind(rows);
  rows.push = (...added) => {
    if (RESULTS !== undefined) appendFileSync(RESULTS, added.map(resultLine).join(''));
    return keep(...added);
  };
  return rows;
}

/** Prints what a test has measured that is no row of a table, a sentence a line; a long run keeps it. */
export function printFindings(findings: readonly string[]): void {
  console.log(findings.join('\n'));
  if (RESULTS !== undefined) appendFileSync(RESULTS, resultLine({ findings }));
}

/** With the name of the test file, so that equal faults of two files stay apart. */
const resultLine = (result: Row | { readonly findings: readonly string[] }): string =>
  `${JSON.stringify({ file: basename(expect.getState().testPath ?? 'unknown', '.test.ts'), ...result })}\n`;

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
