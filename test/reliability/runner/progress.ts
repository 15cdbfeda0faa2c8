import type { Settings } from './arguments.ts';
import { counted, overPaths, type RunRecord } from './record.ts';

/** How far a run is, in one line. */
export function progressLine(
  record: Pick<RunRecord, 'faults'>,
  { kills, images }: Pick<Settings, 'kills' | 'images'>,
): string {
  const sum = (key: 'acked' | 'lost'): number => record.faults.reduce((total, fault) => total + fault[key], 0);
  return [
    `${counted('kills', [record])} of ${kills} kills`,
    `${counted('images', [record])} of ${images} power cuts`,
    `${sum('acked')} acknowledged`,
    `${sum('lost')} lost`,
  ].join(', ');
}

const COLUMNS = ['times', 'acked', 'lost', 'excused', 'disordered', 'duplicates', 'resumed', 'rss'] as const;
const HEADINGS = ['fault', 'times', 'acked', 'lost', 'excused', 'disordered', 'duplicates', 'resumed ms', 'RSS MB'];

/** What a run showed, as a table for the terminal: a line per fault. */
export function recordTable(record: Pick<RunRecord, 'faults'>): string {
  const rows = overPaths([record]).map((fault) => [fault.fault, ...COLUMNS.map((key) => String(fault[key] ?? '–'))]);
  const lines = [HEADINGS, ...rows];
  const widths = HEADINGS.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)));
  const pad = (text: string, column: number): string =>
    column === 0 ? text.padEnd(widths[column]!) : text.padStart(widths[column]!);
  return lines.map((line) => line.map(pad).join('  ')).join('\n');
}
