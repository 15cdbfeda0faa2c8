import { execFile } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/** Where brokers live on Debian, Homebrew and in generic archives, beside `PATH`. */
const extraFolders = [
  '/usr/lib/rabbitmq/bin',
  '/usr/sbin',
  '/usr/local/sbin',
  '/opt/homebrew/sbin',
  '/opt/homebrew/bin',
];

/**
 * Finds an executable, or returns undefined. RabbitMQ's own folder comes first: the wrapper in `/usr/sbin` changes to
 * the system user and would read the system's data.
 */
export function findProgram(name: string): string | undefined {
  const folders = [...extraFolders.slice(0, 1), ...(process.env.PATH ?? '').split(delimiter), ...extraFolders.slice(1)];
  return folders
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, name))
    .find(isExecutable);
}

/**
 * As {@link findProgram}, but a missing program is an error.
 * @throws Error naming the program and how to get it.
 */
export function requireProgram(name: string): string {
  const path = findProgram(name);
  if (path !== undefined) return path;
  throw new Error(
    `The program "${name}" was not found in PATH: install it (Debian: apt-get install mosquitto rabbitmq-server prosody ejabberd openssl).`,
  );
}

/** Most output of a program, in bytes. */
const MAX_OUTPUT = 16 * 1024 * 1024;

/** How a program is run. */
export interface RunOptions {
  /** Added to the environment of this process. */
  readonly env?: NodeJS.ProcessEnv;
  /** Default: the working directory of this process. */
  readonly cwd?: string;
  /** Milliseconds after which it is killed. Default: never. */
  readonly timeout?: number;
}

/**
 * Runs a short program to its end and returns its standard output.
 * @throws Error with the command line and what the program wrote, when it exits with another code than 0 or is too slow.
 */
export async function run(
  file: string,
  args: readonly string[],
  { env, cwd, timeout = 0 }: RunOptions = {},
): Promise<string> {
  try {
    const { stdout } = await execute(file, args, {
      cwd,
      env: { ...process.env, ...env },
      timeout,
      maxBuffer: MAX_OUTPUT,
    });
    return stdout;
  } catch (error) {
    throw new Error(`The command "${file} ${args.join(' ')}" failed: ${reasonOf(error, timeout)}`, { cause: error });
  }
}

/** The message of anything thrown. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

function reasonOf(error: unknown, timeout: number): string {
  if (!(error instanceof Error)) return messageOf(error);
  if (timeout > 0 && 'killed' in error && error.killed === true) return `it did not end within ${timeout} ms`;
  const texts = ['stdout' in error ? error.stdout : '', 'stderr' in error ? error.stderr : '']
    .filter((text) => typeof text === 'string')
    .join('\n')
    .trim();
  return texts === '' ? error.message : texts;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    // Absent and not executable are the same answer here: not usable.
    return false;
  }
}
