import { vi } from 'vitest';
import { createProgram } from '../../src/cli/program.ts';

/** Runs a command in this process; resolves to what it printed. A command that fails rejects with `CommandFailed`. */
export async function command(...args: readonly string[]): Promise<{ readonly stdout: string; readonly code: number }> {
  const written: string[] = [];
  const spy = vi.spyOn(process.stdout, 'write').mockImplementation((chunk) => {
    written.push(String(chunk));
    return true;
  });
  const before = process.exitCode;
  try {
    await createProgram().parseAsync(args, { from: 'user' });
    return { stdout: written.join(''), code: Number(process.exitCode ?? 0) };
  } finally {
    process.exitCode = before;
    spy.mockRestore();
  }
}
