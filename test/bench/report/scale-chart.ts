import type { Spread } from '../measure/statistics.ts';
import { valuesOf } from './growth.ts';
import type { ScaleResult } from './scale-results.ts';
import { escaped, round, STYLE, text } from './svg.ts';
import { figure } from './table.ts';

const WIDTH = 760;
const LEFT = 60;
const RIGHT = 60;
const TOP = 56;
const PANEL = 120;
const GAP = 62;

interface Dot {
  readonly size: number;
  /** Undefined where there is no figure. */
  readonly value: Spread | undefined;
}

/** Cost above and memory below, by size: sizes on a logarithmic scale, figures from 0. */
export function scaleChart(result: ScaleResult): string {
  const height = TOP + 2 * PANEL + GAP + 34;
  const panels = [result.cost, result.memory].map((key, index) => {
    const top = TOP + index * (PANEL + GAP);
    const heading = result.columns.find((column) => column.key === key)?.heading ?? key;
    const dots = result.rows.map((row) => ({ size: row.size, value: valuesOf(row, key) }));
    return [text(LEFT, top - 20, `${heading}, less is better`, 'soft'), ...panel(dots, top)];
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="${escaped(result.title)}">`,
    `<style>${STYLE}</style>`,
    text(0, 16, `${result.title}: cost and memory by number of ${result.unit}`, 'title'),
    ...panels.flat(),
    '</svg>',
    '',
  ].join('\n');
}

function panel(dots: readonly Dot[], top: number): readonly string[] {
  const bottom = top + PANEL;
  const logarithms = dots.map(({ size }) => Math.log10(size));
  const [least, greatest] = [Math.min(...logarithms), Math.max(...logarithms)];
  const width = WIDTH - LEFT - RIGHT;
  const x = (size: number): number =>
    round(LEFT + (greatest === least ? width / 2 : ((Math.log10(size) - least) / (greatest - least)) * width));
  const most = Math.max(...dots.map(({ value }) => value?.max ?? 0), Number.MIN_VALUE);
  const y = (value: number): number => round(bottom - (value / most) * PANEL);
  const known = dots.flatMap(({ size, value }) => (value ? [{ size, value }] : []));
  const line = known.map(({ size, value }) => `${x(size)},${y(value.median)}`).join(' ');
  return [
    `<line class="axis" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${bottom}" y2="${bottom}"/>`,
    ...(known.length > 1 ? [`<polyline class="line" points="${line}"/>`] : []),
    ...known.flatMap(({ size, value }) => [
      `<line class="whisker" x1="${x(size)}" x2="${x(size)}" y1="${y(value.min)}" y2="${y(value.max)}"/>`,
      `<circle class="own" cx="${x(size)}" cy="${y(value.median)}" r="4"/>`,
      text(x(size), y(value.max) - 8, figure(value.median), undefined, 'middle'),
    ]),
    ...dots.flatMap(({ size, value }) => [
      text(x(size), bottom + 16, size.toLocaleString('en-US'), 'soft', 'middle'),
      ...(value ? [] : [text(x(size), bottom - 8, 'not measured', 'soft', 'middle')]),
    ]),
  ];
}
