import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { publishScale } from '../report/publish.ts';
import { scaleChart } from '../report/scale-chart.ts';
import { scalePage } from '../report/scale-page.ts';
import { scaleTable } from '../report/scale-table.ts';
import { failedSize, scale, size } from './scale-results.ts';

const flat = () => scale([size(10, [2, 4], [100]), size(100, [2.1, 4.2], [190])]);

describe('the table of a series', () => {
  it('shows figures, ratios, growth and goals', () => {
    const text = scaleTable(flat());
    expect(text).toContain('Routes [scale-x]');
    expect(text).toMatch(/ 10 {2}3\.00 \(2\.00–4\.00\) +1 +100$/m);
    expect(text).toMatch(/100 {2}3\.15 \(2\.10–4\.20\) +1\.05 × +190$/m);
    expect(text).toContain(
      'Growth: CPU s/100k as size^0.02 (× 1.05 for ten times as many); RSS MB: 1024.0 KB for each one more',
    );
    expect(text).toContain('Goal reached: 100 cost as much as 10; measured 1.05 ×');
  });

  it('says which size has no figures and why, and that a goal was missed or not measured', () => {
    const text = scaleTable(scale([size(10, [1], [1]), failedSize(100, 'mosquitto cannot be started')]));
    expect(text).toMatch(/100 {2}failed: mosquitto cannot be started$/m);
    expect(text).toContain('Growth: not known, fewer than two sizes were measured');
    expect(text).toContain('Goal not measured: 100 cost as much as 10');
    expect(scaleTable(scale([size(10, [1], [1]), size(100, [2], [1])]))).toContain(
      'Goal missed: 100 cost as much as 10; measured 2.00 ×',
    );
  });
});

describe('the chart of a series', () => {
  const dots = (text: string) =>
    [...text.matchAll(/<circle class="own" cx="([\d.]+)" cy="([\d.]+)"/g)].map(([, x, y]) => [Number(x), Number(y)]);

  it('has sizes at equal steps for equal factors, and figures from 0', () => {
    const text = scaleChart(scale([size(10, [1], [50]), size(100, [2], [100]), size(1000, [4], [100])]));
    const [cost, memory] = [dots(text).slice(0, 3), dots(text).slice(3)];
    expect(cost.map(([x]) => x)).toEqual([60, 380, 700]);
    // The panel of the cost is 120 high: 4 at its top, 1 a quarter above its bottom.
    expect(cost.map(([, y]) => y)).toEqual([146, 116, 56]);
    expect(memory.map(([, y]) => y! - 238)).toEqual([60, 0, 0]);
  });

  it('draws no dot for a size without figures, and no markup from titles', () => {
    const text = scaleChart({ ...scale([failedSize(10), size(100, [1], [1])]), title: '<&>', unit: 'a<b' });
    expect(dots(text)).toHaveLength(2);
    expect(text.match(/not measured/g)).toHaveLength(2);
    expect(text).not.toContain('a<b');
    expect(text).not.toContain('<&>');
    expect(text).not.toContain('NaN');
  });

  it('stands with nothing measured at all', () => {
    const text = scaleChart(scale([failedSize(10)]));
    expect(text).not.toMatch(/NaN|Infinity/);
    expect(text).toContain('not measured');
  });
});

describe('the page of series', () => {
  it('has a chart, a table and the conditions of each', () => {
    const text = scalePage([flat(), scale([failedSize(10, 'a|b\nc')], 'scale-y')]);
    expect(text).toContain('![Routes](scale-x.svg)');
    expect(text).toContain(
      '| routes | CPU s/100k | ratio | RSS MB |\n| --- | --- | --- | --- |\n| 10 | 3.00 (2.00–4.00) | 1 | 100 |',
    );
    expect(text).toContain('| 10 | failed: a\\|b c |');
    expect(text).toContain(
      '2 rounds of 5 s; 2026-11-27; CPU, 2 cores, 24 GB, Linux 6; node v24.0.0, mosquitto 2.0.11.',
    );
    expect(text).toContain('`npm run bench -- scale-y`');
    expect(text).toContain('threads');
    const { settings: _, ...once } = flat();
    expect(scalePage([once])).toContain('256 bytes; measured once; 2026-11-27');
  });
});

describe('publishing series', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'magpie-scale-test-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('replaces the series that ran, keeps the others in order, and forgets those that are gone', () => {
    publishScale([flat(), scale([failedSize(10)], 'gone')], ['scale-x', 'gone'], folder);
    publishScale([scale([size(7, [1], [1])], 'scale-a')], ['scale-a', 'scale-x'], folder);
    const kept = JSON.parse(readFileSync(join(folder, 'scale.json'), 'utf8'));
    expect(kept.map(({ series }: { series: string }) => series)).toEqual(['scale-a', 'scale-x']);
    expect(readFileSync(join(folder, 'scale.md'), 'utf8')).toMatch(/#scale-a[\s\S]*#scale-x/);
    expect(readdirSync(folder)).toEqual(expect.arrayContaining(['scale-a.svg', 'scale-x.svg']));
  });

  it('does not write over results that it cannot read', () => {
    writeFileSync(join(folder, 'scale.json'), '{');
    expect(() => publishScale([flat()], ['scale-x'], folder)).toThrow(/scale\.json cannot be read; remove it/);
    expect(readFileSync(join(folder, 'scale.json'), 'utf8')).toBe('{');
  });
});
