import type { Spread } from '../measure/statistics.ts';
import type { PathResult, Row } from './results.ts';
import { summarize } from './summary.ts';

/** A number with as many digits as mean something. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return '–';
  if (value >= 1000) return Math.round(value).toLocaleString('en-US');
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

/** `1,234 (1,100–1,300)`. */
export const spreadText = ({ median, min, max }: Spread): string => `${figure(median)} (${figure(min)}–${figure(max)})`;

/** Headings of the table. */
export const HEADINGS = [
  'contender',
  'deliveries/s',
  'ratio',
  'CPU s/100k',
  'ratio',
  'p50/p99/p99.9 ms',
  'RSS MB',
  'all CPU s/100k',
  'guarantee',
] as const;

/** Cells of a row, as many as there are headings; a row without figures says why in the second. */
export function cells(result: PathResult, row: Row): readonly string[] {
  const { contender, guarantee, latency, state, reason } = row;
  const summary = summarize(result, row);
  if (!summary) return [contender, `${state}: ${reason}`, '', '', '', '', '', '', guarantee];
  const { perSecond, cpu, ratio, cpuRatio, memory, cpuByProcess } = summary;
  const alone = contender === result.base ? '1' : '–';
  return [
    contender,
    spreadText(perSecond),
    ratio ? `${figure(ratio.median)} ×` : alone,
    spreadText(cpu),
    cpuRatio ? `${figure(cpuRatio.median)} ×` : alone,
    latency ? [latency.p50, latency.p99, latency.p999].map(figure).join(' / ') : '–',
    figure(memory),
    Object.entries(cpuByProcess)
      .map(([name, seconds]) => `${name} ${figure(seconds)}`)
      .join(', '),
    guarantee,
  ];
}

/** Lines below a table: what a reader has to know about its rows. */
export const noteLines = ({ rows }: PathResult): readonly string[] =>
  rows.flatMap(({ contender, notes }) => notes.map((note) => `${contender}: ${note}`));

/** A path's table for a terminal. A row without figures does not widen the columns of the others. */
export function pathTable(result: PathResult): string {
  const short = ([name = '', reason = '']: readonly string[]): readonly string[] => [name, reason];
  const lines = [
    HEADINGS,
    ...result.rows.map((row) => (row.state === 'measured' ? cells(result, row) : short(cells(result, row)))),
  ];
  const plain = lines.filter((_, index) => index === 0 || result.rows[index - 1]!.state === 'measured');
  const names = Math.max(...lines.map(([name]) => name!.length));
  const widths = HEADINGS.map((_, column) =>
    column === 0 ? names : Math.max(...plain.map((line) => line[column]!.length)),
  );
  const render = (line: readonly string[]): string =>
    line
      .map((text, column) => text.padEnd(widths[column]!))
      .join('  ')
      .trimEnd();
  const { body, window, copies } = result.load;
  const load = `${body} bytes, window ${window}${copies > 1 ? `, ${copies} subscribers` : ''}`;
  const text = [`${result.title} [${result.path}], ${load}`, ...lines.map(render), ...noteLines(result)];
  return text.join('\n  ');
}
