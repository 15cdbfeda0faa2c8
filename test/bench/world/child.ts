import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** A program under test, with a directory of its own. */
export interface Child {
  readonly pid: number;
  readonly directory: string;
  /** Everything it has written. */
  logs(): string;
  /** Waits until what it wrote fits. Rejects with the end of its log, and all of it as cause, when it exits or is too slow. */
  says(pattern: RegExp): Promise<RegExpExecArray>;
  /** SIGKILL; resolves when it is gone. The directory stays for a next one. */
  kill(): Promise<void>;
  /** SIGTERM, then SIGKILL; removes the directory. */
  stop(): Promise<void>;
}

const START_MS = 60_000;
const STOP_MS = 15_000;
/** Lines of a log that an error shows. */
const SHOWN_LINES = 3;

const running = new Set<ChildProcess>();
const directories = new Set<string>();

const remove = (directory: string): void => {
  directories.delete(directory);
  rmSync(directory, { recursive: true, force: true, maxRetries: 3 });
};

// A benchmark that is interrupted leaves nothing behind.
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
  for (const directory of directories) remove(directory);
});

/** An empty directory for a program; gone when the program was stopped or this process ends. */
export function ownDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'magpie-bench-'));
  directories.add(directory);
  return directory;
}

/** Starts a program; its output goes to a file, so that nobody has to read along while it is measured. */
export function startChild(
  program: string,
  args: readonly string[],
  { directory = ownDirectory(), env = {} }: { directory?: string; env?: NodeJS.ProcessEnv } = {},
): Child {
  const file = join(directory, 'output.log');
  // Emptied: what a former program in the same directory said is not what this one says.
  const output = openSync(file, 'w');
  const child = spawn(program, args, {
    cwd: directory,
    env: { ...process.env, ...env },
    stdio: ['ignore', output, output],
  });
  closeSync(output);
  running.add(child);
  let failure: Error | undefined;
  const gone = new Promise<void>((resolve) => {
    child.on('exit', () => resolve());
    child.on('error', (error) => {
      failure = error;
      resolve();
    });
  });
  void gone.then(() => running.delete(child));
  const logs = (): string => readFileSync(file, 'utf8');
  const ended = (what: string): Error => {
    const lines = logs()
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '');
    const telling = lines.find((line) => /^\w*error\b/i.test(line)) ?? lines.slice(-SHOWN_LINES).join(' | ');
    return new Error(`${what}: ${telling}`, { cause: logs() });
  };
  return {
    pid: child.pid ?? 0,
    directory,
    logs,
    says: async (pattern) => {
      const deadline = performance.now() + START_MS;
      for (;;) {
        const found = pattern.exec(logs());
        if (found) return found;
        if (failure) throw new Error(`could not be started: ${failure.message}`);
        const code = child.exitCode ?? child.signalCode;
        if (code !== null) throw ended(`exited with ${code} at its start`);
        if (performance.now() > deadline) throw ended(`was not ready within ${START_MS / 1000} s`);
        await sleep(20);
      }
    },
    kill: async () => {
      child.kill('SIGKILL');
      await gone;
    },
    stop: async () => {
      child.kill('SIGTERM');
      await Promise.race([gone, sleep(STOP_MS, undefined, { ref: false })]);
      if (child.exitCode === null && child.signalCode === null && !failure) {
        child.kill('SIGKILL');
        await once(child, 'exit');
      }
      remove(directory);
    },
  };
}
