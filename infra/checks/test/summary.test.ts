import { describe, expect, it } from 'vitest';
import { closingLine, summaryTable } from '../summary.ts';
import { countTests } from '../vitest-step.ts';

const step = (name: string, passed: number, failed: number, skipped = 0) => ({
  name,
  ms: 1500,
  result: { passed, failed, skipped, output: '' },
});

describe('the summary of a run', () => {
  it('adds up all steps in the closing line', () => {
    expect(closingLine([step('build', 1, 0), step('unit', 40, 2)])).toBe('41 passed, 2 failed');
    expect(closingLine([step('unit', 40, 0, 3)])).toBe('40 passed, 0 failed, 3 skipped');
  });

  it('shows counts and times per step', () => {
    expect(summaryTable([step('build', 1, 0), step('unit', 40, 2)])).toContain(
      'unit         40        2        0    1.5 s',
    );
    expect(summaryTable([step('build', 1, 0), step('unit', 40, 2)])).toMatch(/total +3\.0 s$/);
  });

  it('counts the tests of a vitest report, and none in garbage', () => {
    const report = { numPassedTests: 5, numFailedTests: 1, numPendingTests: 2, numTodoTests: 1 };
    expect(countTests(report)).toEqual({ passed: 5, failed: 1, skipped: 3 });
    expect(countTests(undefined)).toEqual({ passed: 0, failed: 0, skipped: 0 });
  });
});
