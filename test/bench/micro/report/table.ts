import { figure } from '../../report/table.ts';
import type { CaseResult, Figures, GroupResult } from './results.ts';

/** A time in the unit in which it is read best. */
export function timeText(nanoseconds: number): string {
  if (!Number.isFinite(nanoseconds)) return '–';
  if (nanoseconds < 1000) return `${figure(nanoseconds)} ns`;
  return nanoseconds < 1e6 ? `${figure(nanoseconds / 1000)} µs` : `${figure(nanoseconds / 1e6)} ms`;
}

/** Operations per second: `1,234`, `12.3k`, `4.56M`. */
export function rateText(perSecond: number): string {
  if (!Number.isFinite(perSecond)) return '–';
  if (perSecond < 10_000) return figure(perSecond);
  return perSecond < 1e6 ? `${figure(perSecond / 1000)}k` : `${figure(perSecond / 1e6)}M`;
}

type Kind = Pick<GroupResult, 'operation' | 'waits'>;

/** What one operation takes, ns: by the clock where it waits, else of CPU time. */
const timeOf = ({ waits }: Kind, { mean, cpu, operations }: Figures): number => (waits ? mean : cpu) / operations;

/** Headings of a group's table. */
export const headings = ({ title, operation, call, waits }: GroupResult): readonly string[] => [
  title,
  `${operation}s/s`,
  `ns/${operation}`,
  ...(waits ? [`CPU ns/${operation}`] : []),
  call === operation ? 'p50' : `p50 per ${call}`,
  call === operation ? 'p99' : `p99 per ${call}`,
];

/** Cells of a row, at most as many as there are headings; a row without figures says why in the second. */
export function cells(group: GroupResult, { name, figures, failure = '' }: CaseResult): readonly string[] {
  if (!figures) return [name, `failed: ${failure.replaceAll(/\s+/g, ' ')}`];
  const { cpu, p50, p99, operations, batch } = figures;
  const time = timeOf(group, figures);
  // Percentiles are of calls only where the group says what a call is.
  const share = group.call === group.operation ? operations : 1;
  const text = (value: number): string => `${batch > 1 ? '~' : ''}${timeText(value / share)}`;
  const own = group.waits ? [figure(cpu / operations)] : [];
  return [name, rateText(1e9 / time), figure(time), ...own, text(p50), text(p99)];
}

/** One line about a case that is done. */
export function caseLine({ name, figures, failure }: CaseResult, kind: Kind): string {
  if (!figures) return `${name}: failed: ${failure}`;
  const time = timeOf(kind, figures);
  return `${name}: ${rateText(1e9 / time)} ${kind.operation}s/s, ${timeText(time)}`;
}

/** A group's table for a terminal. A row without figures does not widen the columns of the others. */
export function groupTable(result: GroupResult): string {
  const lines = [headings(result), ...result.cases.map((each) => cells(result, each))];
  const whole = lines.filter((_, index) => index === 0 || result.cases[index - 1]!.figures);
  const widths = headings(result).map((_, column) =>
    Math.max(...(column === 0 ? lines : whole).map((line) => line[column]!.length)),
  );
  const pad = (text: string, column: number): string =>
    column === 0 ? text.padEnd(widths[0]!) : text.padStart(widths[column]!);
  return lines.map((line) => line.map(pad).join('  ').trimEnd()).join('\n  ');
}
