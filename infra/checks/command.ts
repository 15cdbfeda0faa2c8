import { spawn } from 'node:child_process';
import { delimiter, join } from 'node:path';

/** The root of the repository; every command runs there. */
export const ROOT = join(import.meta.dirname, '../..');

/** How a command ended. `output` is what it wrote to both streams. */
export interface CommandResult {
  readonly code: number;
  readonly output: string;
}

/** Most output kept of one command, in characters; the end is kept. */
const MAX_OUTPUT = 400_000;

/** Process groups that are running, so that an interrupted run leaves nothing behind. */
const running = new Set<number>();

/**
 * Runs a program of `node_modules/.bin` (or of the machine) to its end. Resolves for every exit code; past `timeoutMs` the
 * program and whatever it started are killed and the code is 124.
 */
export function runCommand(program: string, args: readonly string[], timeoutMs: number): Promise<CommandResult> {
  const path = [join(ROOT, 'node_modules/.bin'), process.env.PATH].join(delimiter);
  const env = { ...process.env, PATH: path, NO_COLOR: '1', FORCE_COLOR: '0' };
  return new Promise((resolve) => {
    // A group of its own, so that a timeout also ends workers and brokers that the program started.
    const child = spawn(program, args, { cwd: ROOT, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const collect = (chunk: Buffer): void => {
      output = (output + chunk.toString()).slice(-MAX_OUTPUT);
    };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    if (child.pid !== undefined) running.add(child.pid);
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      killGroup(child.pid);
    }, timeoutMs);
    const finish = (code: number, note = ''): void => {
      clearTimeout(timer);
      if (child.pid !== undefined) running.delete(child.pid);
      resolve({ code, output: output + note });
    };
    child.on('error', (error) => finish(127, `\n${program}: ${error.message}`));
    child.on('close', (code) => (timedOut ? finish(124, `\nkilled after ${timeoutMs / 1000} s`) : finish(code ?? 1)));
  });
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    // Gone in the meantime is what was wanted.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

/** Ends every running command; for signals. */
export function killRunning(): void {
  for (const pid of running) killGroup(pid);
}
