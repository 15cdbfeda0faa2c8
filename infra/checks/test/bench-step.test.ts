import { afterEach, describe, expect, it, vi } from 'vitest';
import { benchResult } from '../bench-step.ts';

const COMPARISON = 'ratios to the script by hand, and in the baseline:\n  a-b, Magpie: 2 ×';

describe('the benchmark as a check', () => {
  const shown: string[] = [];
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => shown.push(String(text)) > 0);
  afterEach(() => void shown.splice(0));

  it('passes when it has run to its end, and shows its comparison only', () => {
    const { passed, failed } = benchResult({ code: 0, output: `a table\n${COMPARISON}\n` });
    expect({ passed, failed }).toEqual({ passed: 1, failed: 0 });
    expect(shown.join('')).toBe('    ratios to the script by hand, and in the baseline:\n      a-b, Magpie: 2 ×\n');
  });

  it.each([
    ['it crashes', 1, 'Error: no such thing'],
    ['it is killed for being slow', 124, 'killed after 240 s'],
    ['the gateway could not be run', 1, COMPARISON],
    ['it compares nothing', 0, 'nothing to do'],
  ])('fails with its output when %s', (_, code, output) => {
    const result = benchResult({ code, output });
    expect(result).toMatchObject({ passed: 0, failed: 1, output: `${output}\nended with code ${code}` });
  });
});
