import { timeText } from './table.ts';

/** One line of a chart. */
export interface Line {
  readonly name: string;
  readonly points: readonly { readonly at: number; readonly value: number }[];
}

const WIDTH = 800;
const HEIGHT = 400;
const LEFT = 70;
const RIGHT = 280;
const TOP = 50;
const BOTTOM = 46;
/** Least distance between two labels at the right, in px. */
const APART = 15;

const COLOURS = [
  '#3b82c4',
  '#d9822b',
  '#3c9d5b',
  '#a05cc0',
  '#808993',
  '#c94f4f',
  '#1fa3a3',
  '#b59b00',
  '#5b4b8a',
  '#d0679d',
];

/** Colours of texts that read on light and dark pages. */
const STYLE = `text{font:12px system-ui,sans-serif;fill:#24292f}.title{font-weight:600;font-size:14px}.soft{fill:#57606a}
.grid{stroke:#a3adb8;stroke-width:.5;opacity:.6}@media(prefers-color-scheme:dark){text{fill:#e6edf3}.soft{fill:#9198a1}}`;

/**
 * Lines over a logarithmic axis: how a time in ns changes with a number, which is at least 1. The other axis begins at 0, so
 * that a line that is level costs the same everywhere.
 */
export function lineChart(title: string, axis: string, lines: readonly Line[]): string {
  const all = lines.flatMap(({ points }) => points);
  const decades = Math.max(1, Math.ceil(Math.log10(Math.max(1, ...all.map(({ at }) => at)))));
  const step = niceStep(Math.max(1, ...all.map(({ value }) => value)));
  const most = step * Math.ceil(Math.max(1, ...all.map(({ value }) => value)) / step);
  const x = (at: number): number => round(LEFT + (Math.log10(at) / decades) * (WIDTH - LEFT - RIGHT));
  const y = (value: number): number => round(HEIGHT - BOTTOM - (value / most) * (HEIGHT - TOP - BOTTOM));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img" aria-label="${escaped(title)}">`,
    `<style>${STYLE}</style>`,
    text(0, 16, title, { className: 'title' }),
    ...grid(decades, step, most, x, y),
    text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 6, axis, { className: 'soft', anchor: 'middle' }),
    ...lines.map((line, index) => drawn(line, colourOf(index), x, y)),
    ...labels(lines, x, y),
    '</svg>',
    '',
  ].join('\n');
}

type Scale = (value: number) => number;

function grid(decades: number, step: number, most: number, x: Scale, y: Scale): readonly string[] {
  const rows = Array.from({ length: Math.round(most / step) + 1 }, (_, index) => index * step);
  const columns = Array.from({ length: decades + 1 }, (_, index) => 10 ** index);
  return [
    ...rows.flatMap((value) => [
      `<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y(value)}" y2="${y(value)}"/>`,
      text(LEFT - 8, y(value) + 4, value === 0 ? '0' : timeText(value), { className: 'soft', anchor: 'end' }),
    ]),
    ...columns.flatMap((at) => [
      `<line class="grid" x1="${x(at)}" x2="${x(at)}" y1="${TOP}" y2="${HEIGHT - BOTTOM}"/>`,
      text(x(at), HEIGHT - BOTTOM + 18, at.toLocaleString('en-US'), { className: 'soft', anchor: 'middle' }),
    ]),
  ];
}

/** The largest of 1, 2 and 5 times a power of ten that makes at least five rows. */
function niceStep(most: number): number {
  const unit = 10 ** Math.floor(Math.log10(most / 5));
  return [5, 2, 1].map((factor) => factor * unit).find((step) => most / step >= 5) ?? unit;
}

const colourOf = (index: number): string => COLOURS[index % COLOURS.length]!;

function drawn({ points }: Line, colour: string, x: Scale, y: Scale): string {
  const places = points.map(({ at, value }) => `${x(at)},${y(value)}`);
  const dots = points.map(({ at, value }) => `<circle cx="${x(at)}" cy="${y(value)}" r="3" fill="${colour}"/>`);
  return [`<polyline points="${places.join(' ')}" fill="none" stroke="${colour}" stroke-width="2"/>`, ...dots].join(
    '\n',
  );
}

/** Names right of the ends of the lines, moved apart where the lines end close together. */
function labels(lines: readonly Line[], x: Scale, y: Scale): readonly string[] {
  const ends = lines
    .flatMap(({ name, points }, index) => {
      const last = points.at(-1);
      return last ? [{ name, colour: colourOf(index), right: x(last.at), height: y(last.value) }] : [];
    })
    .sort((a, b) => b.height - a.height);
  let free = HEIGHT - BOTTOM + APART;
  return ends.map(({ name, colour, right, height }) => {
    free = Math.min(height, free - APART);
    const from = WIDTH - RIGHT + 24;
    return [
      `<line x1="${right + 5}" y1="${height}" x2="${from - 4}" y2="${free}" stroke="${colour}" stroke-width=".7"/>`,
      text(from, free + 4, name),
    ].join('\n');
  });
}

const round = (value: number): number => Math.round(value * 10) / 10;

const text = (x: number, y: number, content: string, { className = '', anchor = '' } = {}): string =>
  `<text x="${x}" y="${y}"${className ? ` class="${className}"` : ''}${anchor ? ` text-anchor="${anchor}"` : ''}>${escaped(content)}</text>`;

const escaped = (content: string): string => content.replace(/[&<>"]/g, (sign) => `&#${sign.codePointAt(0)};`);
