import { describe, expect, it } from 'vitest';
import { runCommand } from '../command.ts';

describe('running a command', () => {
  it('keeps output of both streams and the exit code', async () => {
    const result = await runCommand('sh', ['-c', 'echo out; echo err >&2; exit 3'], 5000);
    expect(result.code).toBe(3);
    expect(result.output.split('\n').toSorted()).toEqual(['', 'err', 'out']);
  });

  it('ends what does not end by itself, with everything it started', async () => {
    const started = performance.now();
    const result = await runCommand('sh', ['-c', 'sleep 60 & sleep 60'], 200);
    expect(result).toMatchObject({ code: 124, output: expect.stringContaining('killed after 0.2 s') });
    expect(performance.now() - started).toBeLessThan(5000);
  });

  it('reports a program that does not exist', async () => {
    expect(await runCommand('no-such-program', [], 1000)).toMatchObject({
      code: 127,
      output: expect.stringContaining('no-such-program'),
    });
  });
});
