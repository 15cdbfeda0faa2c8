import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { progressLine, recordTable } from '../progress.ts';
import { counted, overPaths, recordedRuns, runName, summarise } from '../record.ts';
import { parseResults } from '../results.ts';
import { failedTests } from '../test-file.ts';
import { row, run } from './sample.ts';

describe('adding up the rows of a run', () => {
  it('sums counts and keeps the worst times and memory, per file, fault and path', () => {
    const totals = summarise([
      row({ times: 100, counts: 'kills', acked: 10, duplicates: 3, resumed: 200.4, rss: 90 }),
      row({ path: 'B → A', times: 100, counts: 'kills', acked: 7 }),
      row({
        times: 50,
        note: 'slow',
        counts: 'kills',
        acked: 5,
        lost: 1,
        disordered: 2,
        excused: 4,
        resumed: 150,
        rss: 95,
      }),
    ]);
    expect(totals).toEqual([
      {
        ...{ file: 'killed-gateway', fault: 'kill', path: 'A → B', times: 150, counts: 'kills', acked: 15, lost: 1 },
        ...{ excused: 4, duplicates: 3, takenInAgain: 0, disordered: 2, resumed: 200, rss: 95 },
      },
      expect.objectContaining({ path: 'B → A', times: 100, acked: 7 }),
    ]);
    expect(totals[1]).not.toHaveProperty('resumed');
  });

  it('counts a fault that says nothing of its number once per row', () => {
    expect(summarise([row({}), row({}), row({})])).toMatchObject([{ times: 3 }]);
  });

  it('reads whole lines only, so that a row being written does no harm', () => {
    const line = JSON.stringify(row({ acked: 3 }));
    expect(parseResults(`${line}\n${line.slice(0, 20)}`).rows).toEqual([expect.objectContaining({ acked: 3 })]);
    expect(parseResults('')).toEqual({ rows: [], findings: [] });
    const found = { file: 'slow-sink', findings: ['RSS 100 MB'] };
    expect(parseResults(`${line}\n${JSON.stringify(found)}\n`)).toMatchObject({ rows: [{}], findings: [found] });
  });
});

describe('adding up faults and runs', () => {
  const kills = (times: number) =>
    run({ faults: summarise(['A → B', 'B → A'].map((path) => row({ path, times, counts: 'kills', acked: times }))) });

  it('counts a fault once, not once per path that it hit', () => {
    expect(overPaths([kills(300)])).toMatchObject([{ times: 300, acked: 600, paths: ['A → B', 'B → A'] }]);
  });

  it('adds runs up', () => {
    expect(overPaths([kills(300), kills(200)])).toMatchObject([{ times: 500, acked: 1000, paths: ['A → B', 'B → A'] }]);
    expect(counted('kills', [kills(300), kills(200)])).toBe(500);
    expect(counted('images', [kills(300)])).toBe(0);
  });

  it('keeps equal faults of two files apart', () => {
    const faults = summarise([row({}), row({ file: 'another' })]);
    expect(overPaths([{ faults }]).map(({ file }) => file)).toEqual(['killed-gateway', 'another']);
  });

  it('leaves out what a test broke on purpose to see its own eyes open', () => {
    const faults = summarise([row({ acked: 1 }), row({ fault: 'lying disk', lost: 90, control: true })]);
    expect(overPaths([{ faults }])).toMatchObject([{ fault: 'kill', lost: 0 }]);
  });

  it('shows progress and a table', () => {
    expect(progressLine(kills(300), { kills: 2000, images: 10 })).toBe(
      '300 of 2000 kills, 0 of 10 power cuts, 600 acknowledged, 0 lost',
    );
    expect(recordTable(kills(300)).split('\n')).toEqual([
      'fault  times  acked  lost  excused  disordered  duplicates  resumed ms  RSS MB',
      'kill     300    600     0        0           0           0           –     100',
    ]);
  });
});

describe('recorded runs', () => {
  it('are read in the order of their dates; one seed may come twice', () => {
    const directory = mkdtempSync(join(tmpdir(), 'magpie-runs-'));
    onTestFinished(() => rmSync(directory, { recursive: true }));
    const dates = ['2031-05-06T07:08:10.000Z', '2031-05-06T07:08:09.000Z'];
    for (const date of dates) {
      writeFileSync(join(directory, `${runName(new Date(date), 5)}.json`), JSON.stringify(run({ date })));
    }
    expect(recordedRuns(directory).map(({ date }) => date)).toEqual(dates.toSorted());
  });

  it('are none where nothing was recorded', () => {
    expect(recordedRuns(join(tmpdir(), 'magpie-no-such-directory'))).toEqual([]);
  });
});

describe('failures in a report of vitest', () => {
  const test = (status: string, fullName: string, ...failureMessages: string[]) => ({
    ...{ status, fullName, failureMessages },
  });

  it('are the failed tests with the first line of what they said', () => {
    const assertionResults = [test('passed', 'a'), test('failed', 'b', 'Error: lost 3\n at somewhere')];
    expect(failedTests('f', { testResults: [{ status: 'failed', message: '', assertionResults }] })).toEqual([
      { file: 'f', test: 'b', message: 'Error: lost 3' },
    ]);
  });

  it('are the file as a whole when it failed outside its tests', () => {
    const testResults = [{ status: 'failed', message: 'cannot load\nstack', assertionResults: [test('skipped', 'a')] }];
    expect(failedTests('f', { testResults })).toEqual([
      { file: 'f', test: 'the file as a whole', message: 'cannot load' },
    ]);
  });

  it('are none in garbage', () => {
    expect(failedTests('f', undefined)).toEqual([]);
  });
});
