import { describe, expect, it } from 'vitest';
import { compare, ratiosOf } from '../check/compare.ts';
import { median, pairedRatios, percentile, spread } from '../measure/statistics.ts';
import { chart } from '../report/chart.ts';
import { page } from '../report/page.ts';
import { merge } from '../report/publish.ts';
import { summarize } from '../report/summary.ts';
import { figure, pathTable } from '../report/table.ts';
import { pair, result, round, row } from './results.ts';

describe('statistics', () => {
  it('takes the middle, and the mean of two middles', () => {
    expect(median([5, 1, 9])).toBe(5);
    expect(median([4, 1, 2, 9])).toBe(3);
    expect(spread([3, 1, 2])).toEqual({ median: 2, min: 1, max: 3 });
    expect(spread([]).median).toBeNaN();
  });

  it('takes percentiles by nearest rank', () => {
    const values = Array.from({ length: 1000 }, (_, index) => 1000 - index);
    expect(percentile(values, 0.5)).toBe(500);
    expect(percentile(values, 0.99)).toBe(990);
    expect(percentile(values, 0.999)).toBe(999);
    expect(percentile([7], 0.999)).toBe(7);
    expect(percentile([], 0.5)).toBeNaN();
  });

  it('compares what was measured in the same round', () => {
    expect(pairedRatios([2, 6], [1, 2])).toEqual([2, 3]);
    expect(pairedRatios([2, undefined, 6], [undefined, 1, 2])).toEqual([3]);
  });
});

describe('a summary', () => {
  it('has the median of the ratios of all rounds', () => {
    const measured = pair();
    expect(summarize(measured, measured.rows[0]!)).toMatchObject({
      perSecond: { median: 1500, min: 1000, max: 2000 },
      cpu: { median: 3 },
      ratio: { median: 1.5 },
      cpuRatio: { median: 0.75 },
      cpuByProcess: { magpie: 3, mosquitto: 1 },
    });
    expect(summarize(measured, measured.rows[1]!)?.ratio).toBeUndefined();
  });

  it('has no ratio to a base that was not measured', () => {
    const alone = result([row('Magpie', [round(1, 1)]), row('script', [], { state: 'failed', reason: 'gone' })]);
    expect(summarize(alone, alone.rows[0]!)?.ratio).toBeUndefined();
    expect(pathTable(alone)).toMatch(/Magpie +1\.00 \(1\.00–1\.00\) +–/);
    expect(summarize(alone, alone.rows[1]!)).toBeUndefined();
  });
});

describe('the table', () => {
  it('shows figures, ratios and notes', () => {
    const text = pathTable(pair());
    expect(text).toContain('A → B [a-b], 256 bytes, window 1000');
    expect(text).toMatch(
      /Magpie +1,500 \(1,000–2,000\) +1\.50 × +3\.00 \(2\.00–4\.00\) +0\.75 × +0\.50 \/ 5\.00 \/ 25\.0/,
    );
    expect(text).toContain('script: lost 1 % of the messages');
  });

  it('says why a row has no figures', () => {
    const text = pathTable(
      result([
        row('Magpie', [round(1, 1)], { state: 'invalid', reason: 'the generator was the limit' }),
        row('script', [], { state: 'failed', reason: 'rabbitmq cannot be started' }),
      ]),
    );
    expect(text).toContain('invalid: the generator was the limit');
    expect(text).toContain('failed: rabbitmq cannot be started');
    expect(text).not.toMatch(/\d\/s/);
  });

  it('writes as many digits as mean something', () => {
    expect([12_345, 123.4, 12.34, 1.234, Number.NaN].map(figure)).toEqual(['12,345', '123', '12.3', '1.23', '–']);
  });
});

describe('the page', () => {
  it('has a chart and a table per path, with machine, versions and date', () => {
    const text = page([pair(), pair('c-d')]);
    expect(text).toContain('![A → B](a-b.svg)');
    expect(text).toContain('| Magpie | 1,500 (1,000–2,000) | 1.50 × |');
    expect(text).toContain('2026-11-21; CPU, 2 cores, 24 GB, Linux 6; node v24.0.0, mosquitto 2.0.11.');
    expect(text.match(/^## /gm)).toHaveLength(2);
  });

  it('keeps the paths that did not run, in the order of the list', () => {
    const merged = merge([pair('c'), pair('a'), pair('gone')], [pair('b')], ['a', 'b', 'c']);
    expect(merged.map(({ path }) => path)).toEqual(['a', 'b', 'c']);
  });

  it('draws bars in proportion, with whiskers from the least to the greatest round', () => {
    const text = chart(pair());
    const widths = [...text.matchAll(/<rect[^>]*width="([\d.]+)"/g)].map(([, width]) => Number(width));
    expect(widths).toEqual([315, 210, 315, 420]);
    expect(text).toContain('<line class="whisker" x1="400" x2="610"');
  });

  it('draws no bar for a row without figures, and no markup from titles', () => {
    const text = chart({ ...result([row('a<b', [], { state: 'failed', reason: 'x' })]), title: '<&>' });
    expect(text).not.toContain('<rect');
    expect(text).toContain('not run');
    expect(text).not.toContain('a<b');
    expect(text).not.toContain('<&>');
  });
});

describe('the comparison with the baseline', () => {
  const now = pair();

  it('accepts what is at most a quarter worse', () => {
    expect(ratiosOf([now])).toEqual({ 'a-b': { Magpie: { throughput: 1.5, cpu: 0.75 } } });
    expect(compare([now], { 'a-b': { Magpie: { throughput: 2, cpu: 0.6 } } }).regressions).toEqual([]);
  });

  it('reports what is worse than that', () => {
    const { regressions } = compare([now], { 'a-b': { Magpie: { throughput: 2.1, cpu: 0.5 } } });
    expect(regressions).toEqual([
      'a-b, Magpie: throughput fell from 2.1 × to 1.5 ×',
      'a-b, Magpie: CPU rose from 0.5 × to 0.75 ×',
    ]);
  });

  it('says what cannot be compared', () => {
    const failed = result([row('Magpie', [], { state: 'failed', reason: 'no broker' })], 'c-d');
    const { lines, regressions, failures } = compare([now, failed], {});
    expect(regressions).toEqual([]);
    expect(failures).toEqual(['c-d, Magpie: no broker']);
    expect(lines).toEqual([
      'a-b, Magpie: throughput 1.5 ×, CPU 0.75 ×; not in the baseline',
      'c-d, Magpie: not compared, failed: no broker',
    ]);
  });

  it('counts only a gateway that could not be run as a failure', () => {
    const others = [row('script', [], { state: 'failed' }), row('Magpie', [], { state: 'invalid' })];
    expect(compare([result(others)], {}).failures).toEqual([]);
  });
});
