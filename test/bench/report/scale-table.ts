import { growthOf, judge, ratioToFirst, valuesOf } from './growth.ts';
import type { Goal, ScaleResult, ScaleRow } from './scale-results.ts';
import { figure, spreadText } from './table.ts';

/** Headings of a series: the cost is followed by its ratio to the smallest size. */
export const scaleHeadings = ({ unit, columns, cost }: ScaleResult): readonly string[] => [
  unit,
  ...columns.flatMap(({ key, heading }) => (key === cost ? [heading, 'ratio'] : [heading])),
];

/** Cells of a size, as many as there are headings; one without figures says why in the second. */
export function scaleCells(result: ScaleResult, row: ScaleRow): readonly string[] {
  const size = row.size.toLocaleString('en-US');
  if (row.state !== 'measured') {
    const empty = scaleHeadings(result)
      .slice(2)
      .map(() => '');
    return [size, `${row.state}: ${row.reason}`, ...empty];
  }
  const ratio = ratioToFirst(result, row);
  return [
    size,
    ...result.columns.flatMap(({ key }) => {
      const values = valuesOf(row, key);
      const text = !values ? '–' : values.min === values.max ? figure(values.median) : spreadText(values);
      if (key !== result.cost) return [text];
      return [text, ratio === undefined ? (row === result.rows[0] ? '1' : '–') : `${figure(ratio)} ×`];
    }),
  ];
}

/** How the series grows, whether its goals are reached, and what else a reader has to know of its rows. */
export const scaleNotes = (result: ScaleResult): readonly string[] => [
  growthText(result),
  ...result.goals.map((goal) => goalText(result, goal)),
  ...result.rows.flatMap(({ size, notes }) => notes.map((note) => `${size.toLocaleString('en-US')}: ${note}`)),
];

function growthText(result: ScaleResult): string {
  const { cost, bytesPerUnit } = growthOf(result);
  const headingOf = (key: string): string => result.columns.find((column) => column.key === key)?.heading ?? key;
  if (Number.isNaN(cost)) return 'Growth: not known, fewer than two sizes were measured';
  const tenfold = `× ${figure(10 ** cost)} for ten times as many`;
  const each = `${bytesText(bytesPerUnit)} for each one more`;
  return `Growth: ${headingOf(result.cost)} as size^${cost.toFixed(2)} (${tenfold}); ${headingOf(result.memory)}: ${each}`;
}

function bytesText(bytes: number): string {
  if (Number.isNaN(bytes)) return 'unknown';
  const size = Math.abs(bytes);
  return size >= 1024 ? `${(bytes / 1024).toFixed(1)} KB` : `${bytes.toFixed(size < 10 ? 1 : 0)} bytes`;
}

function goalText(result: ScaleResult, goal: Goal): string {
  const outcome = judge(result, goal);
  if (!outcome) return `Goal not measured: ${goal.words}`;
  const { value, reached } = outcome;
  const got = goal.from === undefined ? `${value.toFixed(1)} ${goal.unit}` : `${value.toFixed(2)} ×`;
  return `Goal ${reached ? 'reached' : 'missed'}: ${goal.words}; measured ${got}`;
}

/** A series for a terminal. A size without figures does not widen the columns of the others. */
export function scaleTable(result: ScaleResult): string {
  const headings = scaleHeadings(result);
  const lines = result.rows.map((row) => ({ cells: scaleCells(result, row), plain: row.state === 'measured' }));
  const plain = [headings, ...lines.filter((line) => line.plain).map(({ cells }) => cells)];
  const widths = headings.map((_, column) => Math.max(...plain.map((cells) => cells[column]!.length)));
  const first = Math.max(widths[0]!, ...lines.map(({ cells }) => cells[0]!.length));
  const render = (cells: readonly string[]): string =>
    cells
      .map((text, column) => (column === 0 ? text.padStart(first) : text.padEnd(widths[column]!)))
      .join('  ')
      .trimEnd();
  const text = [
    `${result.title} [${result.series}]`,
    render(headings),
    ...lines.map(({ cells }) => render(cells)),
    ...scaleNotes(result),
  ];
  return text.join('\n  ');
}
