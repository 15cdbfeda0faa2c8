import type { Spread } from '../measure/statistics.ts';
import type { PathResult, Row, Summary } from './results.ts';
import { summarize } from './summary.ts';
import { escaped, round, STYLE, text } from './svg.ts';
import { figure } from './table.ts';

const WIDTH = 760;
const LEFT = 190;
const RIGHT = 150;
const ROW = 26;
const TOP = 44;
const GAP = 40;

interface Bar {
  readonly label: string;
  readonly own: boolean;
  /** Undefined where there is no figure; `note` says why. */
  readonly value?: Spread;
  readonly note: string;
}

/** Bars with whiskers from the least to the greatest round: deliveries per second above, CPU per message below. */
export function chart(result: PathResult): string {
  const speed = result.rows.map((row) => bar(result, row, ({ perSecond }) => perSecond));
  const cpu = result.rows.map((row) => bar(result, row, (summary) => summary.cpu));
  const second = TOP + speed.length * ROW + GAP;
  const height = second + cpu.length * ROW + 8;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="${escaped(result.title)}">`,
    `<style>${STYLE}</style>`,
    text(0, 16, result.title, 'title'),
    text(LEFT, TOP - 8, 'deliveries per second, more is better', 'soft'),
    ...bars(speed, TOP),
    text(LEFT, second - 8, 'CPU seconds per 100,000 deliveries of its own process, less is better', 'soft'),
    ...bars(cpu, second),
    '</svg>',
    '',
  ].join('\n');
}

function bar(result: PathResult, row: Row, pick: (summary: Summary) => Spread): Bar {
  const summary = summarize(result, row);
  const common = { label: row.contender, own: row.process === 'magpie' };
  if (!summary) return { ...common, note: row.state === 'invalid' ? 'invalid' : 'not run' };
  const value = pick(summary);
  return { ...common, value, note: figure(value.median) };
}

function bars(list: readonly Bar[], top: number): readonly string[] {
  const most = Math.max(...list.map(({ value }) => value?.max ?? 0), Number.MIN_VALUE);
  const scale = (value: number): number => round((value / most) * (WIDTH - LEFT - RIGHT));
  return list.flatMap(({ label, own, value, note }, index) => {
    const y = top + index * ROW;
    const middle = y + ROW / 2 - 3;
    const name = text(LEFT - 8, middle + 4, label, undefined, 'end');
    if (!value) return [name, text(LEFT, middle + 4, note, 'soft')];
    const [from, to] = [LEFT + scale(value.min), LEFT + scale(value.max)];
    return [
      name,
      `<rect class="${own ? 'own' : 'other'}" x="${LEFT}" y="${y}" width="${scale(value.median)}" height="${ROW - 6}" rx="2"/>`,
      `<line class="whisker" x1="${from}" x2="${to}" y1="${middle}" y2="${middle}"/>`,
      text(Math.max(to, LEFT + scale(value.median)) + 8, middle + 4, note),
    ];
  });
}
