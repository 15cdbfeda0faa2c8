import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const NODE_FLAGS = ['--conditions=@magpie/source', '--disable-warning=ExperimentalWarning'];

/** A child process that runs one of this folder's programs; its whole standard output, and how it ended. */
export interface Child {
  readonly process: ChildProcess;
  /** What it has printed so far. */
  output(): string;
  /** Resolves when the output contains a text; rejects when the process ends before. */
  printed(text: string): Promise<void>;
  readonly ended: Promise<{ readonly code: number | null; readonly output: string; readonly errors: string }>;
}

/** Starts `file` with node, under `wrapper` (such as strace and its options) when given. */
export function startChild(file: string, args: readonly string[], wrapper: readonly string[] = []): Child {
  const path = fileURLToPath(new URL(file, import.meta.url));
  const [command = process.execPath, ...rest] = [...wrapper, process.execPath, ...NODE_FLAGS, path, ...args];
  const child = spawn(command, rest, { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    output += chunk;
  });
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    errors += chunk;
  });
  const ended = new Promise<{ code: number | null; output: string; errors: string }>((resolve) => {
    child.once('close', (code) => resolve({ code, output, errors }));
  });
  const printed = async (text: string): Promise<void> => {
    while (!output.includes(text)) {
      if (child.exitCode !== null) throw new Error(`the child ended without printing "${text}": ${output}${errors}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  return { process: child, output: () => output, printed, ended };
}
