import { afterAll } from 'vitest';

/** One line of the table that a file prints at its end. Times in ms. */
export interface Row {
  readonly fault: string;
  readonly path: string;
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

const HEADINGS: Readonly<Record<keyof Row, string>> = {
  fault: 'fault',
  path: 'path',
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

/** Rows that are printed as one table when the tests of the file are over. Called once per file, at the top level. */
export function printedTable(): Row[] {
  const rows: Row[] = [];
  afterAll(() => console.log(renderTable(rows)));
  return rows;
}

function renderTable(rows: readonly Row[]): string {
  const keys = Object.keys(HEADINGS).filter((key): key is keyof Row => key in HEADINGS);
  const lines = [keys.map((key) => HEADINGS[key]), ...rows.map((row) => keys.map((key) => cell(row[key])))];
  const widths = keys.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)));
  return lines.map((line) => line.map((text, column) => text.padEnd(widths[column]!)).join('  ')).join('\n');
}

const cell = (value: string | number | undefined): string =>
  typeof value === 'number' ? String(Math.round(value)) : (value ?? '–');
