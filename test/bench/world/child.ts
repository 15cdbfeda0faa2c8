import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Program, startProgram } from '@magpie/brokers';

/** A program under test, with a directory of its own. */
export interface Child extends Pick<Program, 'pid' | 'output' | 'says'> {
  readonly directory: string;
  /** SIGKILL; resolves when it is gone. The directory stays for a next one. */
  kill(): Promise<void>;
  /** SIGTERM, then SIGKILL; removes the directory. */
  stop(): Promise<void>;
}

const directories = new Set<string>();

const remove = (directory: string): void => {
  directories.delete(directory);
  rmSync(directory, { recursive: true, force: true, maxRetries: 3 });
};

// A benchmark that is interrupted leaves nothing behind.
process.on('exit', () => {
  for (const directory of directories) remove(directory);
});

/** An empty directory for a program; gone when the program was stopped or this process ends. */
export function ownDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'magpie-bench-'));
  directories.add(directory);
  return directory;
}

/**
 * Starts a program; its output goes to a file, so that this process need not read it while it measures.
 * @throws Error when it cannot be started.
 */
export async function startChild(
  file: string,
  args: readonly string[],
  { directory = ownDirectory(), env = {} }: { directory?: string; env?: NodeJS.ProcessEnv } = {},
): Promise<Child> {
  const logFile = join(directory, 'output.log');
  // The output of an earlier program in the same directory does not count.
  rmSync(logFile, { force: true });
  const program = await startProgram(file, args, { cwd: directory, env, logFile });
  const { pid, output, says, kill, stop } = program;
  return {
    ...{ pid, directory, output, says },
    kill: async () => void (await kill()),
    stop: async () => {
      await stop();
      remove(directory);
    },
  };
}
