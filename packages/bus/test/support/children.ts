import { fileURLToPath } from 'node:url';
import { type Program, startProgram } from '@magpie/brokers';
import { onTestFinished } from 'vitest';

const NODE_FLAGS = ['--conditions=@magpie/source', '--disable-warning=ExperimentalWarning'];

/** Starts a program of this folder by its name with node, under `wrapper` (such as strace and its options) when given; gone with the test. */
export async function startChild(
  file: string,
  args: readonly string[],
  wrapper: readonly string[] = [],
): Promise<Program> {
  const path = fileURLToPath(new URL(`./${file}`, import.meta.url));
  const [command = process.execPath, ...rest] = [...wrapper, process.execPath, ...NODE_FLAGS, path, ...args];
  const child = await startProgram(command, rest);
  onTestFinished(async () => void (await child.kill()));
  return child;
}
