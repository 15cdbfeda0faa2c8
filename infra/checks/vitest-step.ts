import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCommand } from './command.ts';
import type { Step, StepResult } from './step.ts';

/** Counts of a vitest run, from its JSON report. */
export interface TestCounts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** A step that runs one vitest project, so many files at a time, and counts every test. */
export function vitestStep(project: string, timeoutMs: number, files = 2): Step {
  return { name: `tests: ${project}`, run: () => runProject(project, timeoutMs, files) };
}

async function runProject(project: string, timeoutMs: number, files: number): Promise<StepResult> {
  const directory = mkdtempSync(join(tmpdir(), 'magpie-checks-'));
  const report = join(directory, 'report.json');
  const options = ['--maxWorkers', `${files}`, '--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  try {
    const { code, output } = await runCommand('vitest', ['run', '--project', project, ...options], timeoutMs);
    const counts = countTests(readReport(report));
    // A file that cannot be loaded or an unhandled error fails the run without failing a test.
    const failed = code !== 0 && counts.failed === 0 ? 1 : counts.failed;
    return { ...counts, failed, output };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function readReport(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined; // No report: the run ended before its first test, which its exit code says.
  }
}

/** The counts in a JSON report of vitest; zeros for anything else. */
export function countTests(report: unknown): TestCounts {
  const number = (key: string): number => {
    const value: unknown = typeof report === 'object' && report !== null ? Reflect.get(report, key) : undefined;
    return typeof value === 'number' ? value : 0;
  };
  return {
    passed: number('numPassedTests'),
    failed: number('numFailedTests'),
    skipped: number('numPendingTests') + number('numTodoTests'),
  };
}
