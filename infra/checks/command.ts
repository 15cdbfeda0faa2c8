import { randomUUID } from 'node:crypto';
import { delimiter, join } from 'node:path';
import { messageOf, startProgram } from '../brokers/src/index.ts';

/** The root of the repository; every command runs there. */
export const ROOT = join(import.meta.dirname, '../..');

/** How a command ended. `output` is what it wrote to both streams. */
export interface CommandResult {
  readonly code: number;
  readonly output: string;
}

/** A variable of the environment by which the processes of one run of the checks can be told from all others. */
export interface RunMark {
  readonly name: string;
  readonly value: string;
}

const NAME = 'MAGPIE_CHECK_RUN';

/** Given to every command, which hands it on to whatever it starts. */
export const RUN_MARK: RunMark = { name: NAME, value: process.env[NAME] ?? randomUUID() };

/** Where Node keeps what it has compiled: tests start hundreds of processes, each of the same sources. */
const COMPILED = join(ROOT, 'node_modules/.cache/node');

/** Most output kept of one command, in characters; the end is kept. */
const MAX_OUTPUT = 400_000;

/**
 * Runs a program of `node_modules/.bin` (or of the machine) to its end. Resolves for every exit code; past `timeoutMs` the
 * program and whatever it started are killed and the code is 124.
 */
export async function runCommand(program: string, args: readonly string[], timeoutMs: number): Promise<CommandResult> {
  const path = [join(ROOT, 'node_modules/.bin'), process.env.PATH].join(delimiter);
  const env = {
    ...{ PATH: path, NO_COLOR: '1', FORCE_COLOR: '0' },
    ...{ NODE_COMPILE_CACHE: COMPILED, [RUN_MARK.name]: RUN_MARK.value },
  };
  try {
    const running = await startProgram(program, args, { cwd: ROOT, env });
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      void running.kill();
    }, timeoutMs);
    const code = await running.exited();
    clearTimeout(timer);
    const output = running.output().slice(-MAX_OUTPUT);
    if (timedOut) return { code: 124, output: `${output}\nkilled after ${timeoutMs / 1000} s` };
    return { code: code ?? 1, output };
  } catch (error) {
    return { code: 127, output: `${program}: ${messageOf(error)}` };
  }
}
