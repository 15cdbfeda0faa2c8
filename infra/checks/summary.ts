import type { StepResult } from './step.ts';

/** A step that has run. */
export interface Finished {
  readonly name: string;
  readonly ms: number;
  readonly result: StepResult;
}

/** `1.2 s`. */
export const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

/** The table of steps with counts and times. */
export function summaryTable(steps: readonly Finished[]): string {
  const width = Math.max(...steps.map(({ name }) => name.length), 4);
  const row = (cells: readonly [string, string, string, string, string]): string =>
    `  ${cells[0].padEnd(width)} ${cells
      .slice(1)
      .map((cell) => cell.padStart(9))
      .join('')}`;
  const lines = steps.map(({ name, ms, result: { passed, failed, skipped } }) =>
    row([name, `${passed}`, `${failed}`, `${skipped}`, seconds(ms)]),
  );
  const total = steps.reduce((sum, { ms }) => sum + ms, 0);
  return [
    row(['step', 'passed', 'failed', 'skipped', 'time']),
    ...lines,
    row(['total', '', '', '', seconds(total)]),
  ].join('\n');
}

/** The last line of a run: `12 passed, 0 failed`, with the skipped ones when there are any. */
export function closingLine(steps: readonly Finished[]): string {
  const sum = (key: 'passed' | 'failed' | 'skipped'): number =>
    steps.reduce((total, { result }) => total + result[key], 0);
  const skipped = sum('skipped');
  return `${sum('passed')} passed, ${sum('failed')} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}
