import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Case, Group, Subject } from '../micro/case.ts';
import { measureCase } from '../micro/measure.ts';
import { parseMicroOptions } from '../micro/options.ts';
import { lineChart } from '../micro/report/chart.ts';
import { chartOf, microPage } from '../micro/report/page.ts';
import { publishMicro } from '../micro/report/publish.ts';
import type { CaseResult, Figures, GroupResult } from '../micro/report/results.ts';
import { cells, groupTable, rateText, timeText } from '../micro/report/table.ts';
import { runGroups } from '../micro/run.ts';

const BRIEF = { budget: 10, warmUp: 1 };

const figures = (parts: Partial<Figures> = {}): Figures => ({
  ...{ operations: 1, mean: 1000, cpu: 500, p50: 900, p99: 4000, calls: 100, batch: 1 },
  ...parts,
});

const result = (parts: Partial<GroupResult> = {}): GroupResult => ({
  ...{ group: 'codecs', title: 'Codecs', note: 'A note.', operation: 'event', call: 'event', waits: false },
  cases: [{ name: 'decode', figures: figures() }],
  date: '2026-11-21T10:00:00.000Z',
  machine: { processor: 'CPU', cores: 2, memoryGb: 24, system: 'Linux 6' },
  versions: { node: 'v24.0.0', mitata: '1.0.0' },
  foreignCores: 0.5,
  ...parts,
});

describe('the command line', () => {
  const parse = (...args: string[]) => parseMicroOptions(args, ['a', 'b', 'c']);

  it('runs everything without arguments, else what is named, in the order of the list', () => {
    expect(parse()).toEqual({ groups: ['a', 'b', 'c'], page: true });
    expect(parse('c', 'a', '--json', 'x.json', '--no-page')).toEqual({
      groups: ['a', 'c'],
      json: 'x.json',
      page: false,
    });
  });

  it('answers a mistake with one sentence', () => {
    expect(() => parse('a', 'd')).toThrow(/^There is no group "d"\.$/);
    expect(() => parse('--fast')).toThrow(/^Unknown option '--fast'\.$/);
    expect(() => parse('--json')).toThrow(/^Option '--json.* argument missing\.$/);
  });
});

/** A case that counts, with parts replaced. */
function counting(parts: Partial<Subject<number>> = {}) {
  const calls: number[] = [];
  const closed: number[] = [];
  const subject: Subject<number> = {
    run: (call) => calls.push(call) - 1,
    check: (value, call) => expect(value).toBe(call),
    close: (made) => void closed.push(made),
    ...parts,
  };
  const each: Case = { name: 'counting', operations: 10, prepare: () => subject };
  return { each, calls, closed };
}

describe('measuring a case', () => {
  it('numbers calls from 0, checks them and says how many there were', async () => {
    const { each, calls, closed } = counting();
    const measured = await measureCase(each, BRIEF);
    expect(calls.slice(0, 3)).toEqual([0, 1, 2]);
    expect(closed).toEqual([calls.length]);
    expect(measured).toMatchObject({ operations: 10, batch: 128 });
    expect(calls.length).toBeGreaterThan(measured.calls);
    for (const value of [measured.mean, measured.cpu, measured.p50, measured.p99]) expect(value).toBeGreaterThan(0);
  });

  it('times calls that take longer one by one, and waits for promises', async () => {
    const wait = (call: number) => new Promise<number>((resolve) => setTimeout(() => resolve(call), 2));
    const measured = await measureCase(counting({ run: wait }).each, BRIEF);
    expect(measured.batch).toBe(1);
    expect(measured.p50).toBeGreaterThan(1.5e6);
  });

  it('has no figure for work that was not done, and closes all the same', async () => {
    const { each, closed } = counting({ run: () => -1 });
    await expect(measureCase(each, BRIEF)).rejects.toThrow();
    expect(closed).toHaveLength(1);
  });

  it('has no figure when the work went wrong only in the end, or left too little behind', async () => {
    let made = 0;
    await expect(measureCase(counting({ run: (call) => (made++ < 200 ? call : -1) }).each, BRIEF)).rejects.toThrow();
    const close = () => Promise.reject(new Error('the log is empty'));
    await expect(measureCase(counting({ close }).each, BRIEF)).rejects.toThrow('the log is empty');
  });
});

describe('running groups', () => {
  const broken: Case = { name: 'broken', prepare: () => Promise.reject(new Error('no disk')) };
  const group = (cases: readonly Case[]): Group => ({ name: 'g', title: 'G', note: 'n', operation: 'event', cases });

  it('says in its row why a case failed, goes on, and tells how far it is', async () => {
    const said: string[] = [];
    const done: string[] = [];
    const [ran] = await runGroups([group([broken, counting().each])], BRIEF, {
      progress: (sentence) => said.push(sentence),
      done: (of) => done.push(of.group),
    });
    expect(ran?.cases).toMatchObject([
      { name: 'broken', failure: 'no disk' },
      { name: 'counting', figures: {} },
    ]);
    expect(ran).toMatchObject({ call: 'event', waits: false, versions: { node: process.version, mitata: '1.0.34' } });
    expect(ran?.foreignCores).toBeGreaterThanOrEqual(0);
    expect(done).toEqual(['g']);
    expect(said).toHaveLength(3);
    expect(said[0]).toBe('[1/1] g: G');
    expect(said[1]).toBe('  1/2 broken: failed: no disk');
    expect(said[2]).toMatch(/^ {2}2\/2 counting: [\d.,]+[kM]? events\/s, [\d.,]+ [nµm]s$/);
  });
});

describe('the table', () => {
  it('shows CPU time where nothing waits, per operation', () => {
    const many: CaseResult = {
      name: 'many',
      figures: figures({ operations: 100, cpu: 50_000, p50: 40_000, batch: 128 }),
    };
    expect(cells(result(), many)).toEqual(['many', '2.00M', '500', '~400 ns', '~40.0 ns']);
  });

  it('goes by the clock where something waits, with percentiles of a call', () => {
    const log = result({ waits: true, call: 'commit' });
    const batch: CaseResult = {
      name: '16',
      figures: figures({ operations: 16, mean: 1.6e6, cpu: 32_000, p50: 1.5e6 }),
    };
    expect(cells(log, batch)).toEqual(['16', '10.0k', '100,000', '2,000', '1.50 ms', '4.00 µs']);
    expect(groupTable(log)).toContain('p50 per commit');
  });

  it('says why a row has no figures', () => {
    const text = groupTable(
      result({
        cases: [
          { name: 'x', failure: 'no\ndisk' },
          { name: 'y', figures: figures() },
        ],
      }),
    );
    expect(text.split('\n').map((line) => line.trim())).toEqual([
      'Codecs  events/s  ns/event     p50      p99',
      'x       failed: no disk',
      'y          2.00M       500  900 ns  4.00 µs',
    ]);
  });

  it('writes times and rates in the unit that is read best', () => {
    expect([12.34, 1234, 1.5e6, 2.5e9, Number.NaN].map(timeText)).toEqual([
      ...['12.3 ns', '1.23 µs', '1.50 ms', '2,500 ms', '–'],
    ]);
    expect([12, 9999, 12_345, 1.5e6, Number.NaN].map(rateText)).toEqual(['12.0', '9,999', '12.3k', '1.50M', '–']);
  });
});

describe('the page', () => {
  const point = (line: string, at: number, p50: number): CaseResult => {
    return { name: `${line} ${at}`, point: { line, at }, figures: figures({ p50, operations: 2 }) };
  };

  it('has a table per group, with machine, versions, date and what else ran', () => {
    const text = microPage([result(), result({ group: 'cel', title: 'CEL' })]);
    expect(text).toContain('- [CEL](#cel)');
    expect(text).toContain('| decode | 2.00M | 500 | 900 ns | 4.00 µs |');
    expect(text).toContain(
      '2026-11-21; CPU, 2 cores, 24 GB, Linux 6; other programs used 0.50 cores meanwhile; node v24.0.0',
    );
    expect(text).not.toContain('.svg');
  });

  it('shows the chart of a group that has one', () => {
    const charted = result({ cases: [point('a|b', 1, 400), point('a|b', 10, 800), { name: 'x', failure: 'f' }] });
    expect(microPage([charted])).toContain('![Codecs](micro-codecs.svg)');
    expect(microPage([charted])).toContain('| a\\|b 1 |');
    expect(chartOf(result())).toBeUndefined();
    // Medians of one operation: 200 and 400 ns.
    expect(chartOf(charted)).toContain('400 ns');
  });

  it('keeps groups that did not run, in the order of the list', () => {
    const folder = mkdtempSync(join(tmpdir(), 'magpie-page-'));
    try {
      const names = ['codecs', 'cel'];
      publishMicro([result({ group: 'cel', title: 'CEL' })], names, folder);
      publishMicro([result({ cases: [point('a', 1, 400)] })], names, folder);
      const titles = readFileSync(join(folder, 'micro.md'), 'utf8').match(/^## .*$/gm);
      expect(titles).toEqual(['## Codecs', '## CEL']);
      expect(readFileSync(join(folder, 'micro-codecs.svg'), 'utf8')).toContain('</svg>');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('the chart', () => {
  const drawn = lineChart('T<', 'routes', [
    { name: 'flat', points: [1, 100, 10_000].map((at) => ({ at, value: 100 })) },
    { name: 'a&b', points: [1, 100, 10_000].map((at) => ({ at, value: 50 + at / 100 })) },
  ]);
  const places = [...drawn.matchAll(/<polyline points="([^"]+)"/g)].map(([, points = '']) =>
    points.split(' ').map((point) => point.split(',').map(Number)),
  );

  it('goes right by powers of ten, and up from zero', () => {
    const [flat = [], rising = []] = places;
    const [first, second, third] = flat.map(([x = 0]) => x);
    expect(second! - first!).toBeCloseTo(third! - second!);
    expect(new Set(flat.map(([, y]) => y)).size).toBe(1);
    const zero = 400 - 46;
    expect((zero - rising[0]![1]!) / (zero - flat[0]![1]!)).toBeCloseTo(0.505, 1);
    expect((zero - rising[2]![1]!) / (zero - flat[0]![1]!)).toBeCloseTo(1.5, 1);
  });

  it('names axes and lines, without markup from names', () => {
    for (const text of ['>1<', '>10,000<', '>routes<', '>flat<', '>a&#38;b<', '>T&#60;<'])
      expect(drawn).toContain(text);
  });

  it('keeps the names of lines apart that end in the same place', () => {
    const same = ['a', 'b', 'c'].map((name) => ({ name, points: [{ at: 1, value: 5 }] }));
    const heights = [...lineChart('t', 'x', same).matchAll(/y="([\d.]+)">[abc]</g)].map(([, y]) => Number(y));
    const [low = 0, middle = 0, high = 0] = heights;
    expect([low - middle, middle - high]).toEqual([15, 15]);
  });
});
