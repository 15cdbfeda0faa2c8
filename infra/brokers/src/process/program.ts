import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { guard } from './guard.ts';
import { messageOf } from './run.ts';
import { membersOf, standstill } from './standstill.ts';

/** How {@link startProgram} starts a program. */
export interface ProgramOptions {
  /** Default: the working directory of this process. */
  readonly cwd?: string;
  /** Added to the environment of this process. */
  readonly env?: NodeJS.ProcessEnv;
  /** File that its output is appended to, without passing through this process. Default: kept in memory. */
  readonly logFile?: string;
  /** Gives it a standard input to {@link Program.write} to. Default: it reads nothing. */
  readonly input?: boolean;
  /** Called with each piece of its standard output as it comes; never where a log file takes it. */
  readonly onStdout?: (text: string) => void;
}

/** A running program and everything it started, as one process group. */
export interface Program {
  readonly pid: number;
  readonly running: boolean;
  /** What it has written to both streams so far; with a log file the whole file. */
  output(): string;
  /** What it has written to its standard output; nothing where a log file takes it. */
  stdout(): string;
  /** What it has written to its standard error; nothing where a log file takes it. */
  stderr(): string;
  /**
   * Waits until `output()` matches, at most `timeout` milliseconds (default 60,000).
   * @throws Error of one line, with all of the output as its cause, when the program exits before or is too slow.
   */
  says(pattern: RegExp, timeout?: number): Promise<RegExpExecArray>;
  /**
   * Resolves to the exit code, or null after a signal, when the program has exited and its whole group is gone: helpers it
   * has left behind are killed. Never rejects.
   */
  exited(): Promise<number | null>;
  /** Writes to its standard input, where it has one; what it does not read is lost with it. */
  write(text: string): void;
  /** Sends `name` to the program alone. Does nothing when it has exited. */
  signal(name: NodeJS.Signals): void;
  /** SIGSTOP to the whole group; resolves when all its threads stand still. */
  freeze(): Promise<void>;
  /** SIGCONT to the whole group. */
  resume(): void;
  /** SIGKILL to the whole group; resolves as `exited` does. */
  kill(): Promise<number | null>;
  /** SIGTERM to the program, SIGKILL to the group after `grace` milliseconds (default 15,000); resolves as `exited` does. */
  stop(grace?: number): Promise<number | null>;
}

const READY_MS = 60_000;
const GRACE_MS = 15_000;
const LOOK_MS = 20;
/** Time for the rest of its output to be read. */
const CLOSED_MS = 1000;

/**
 * Starts a program in a process group of its own, guarded against outliving this process however that ends. It does not keep
 * this process alive; waiting for its end does. Everything of this repository that starts a program to talk to or to end
 * goes through here; {@link run} is for those that end by themselves.
 * @param file path of the program, or a name to look for in PATH.
 * @throws Error when it cannot be started.
 */
export async function startProgram(
  file: string,
  args: readonly string[],
  options: ProgramOptions = {},
): Promise<Program> {
  const { logFile } = options;
  const child = spawnDetached(file, args, options);
  const pid = await pidOf(child);
  guard().watch(pid);
  child.unref();
  const written = logFile === undefined ? keptOutput(child, options.onStdout) : loggedOutput(logFile);
  child.stdin?.on('error', () => undefined); // It may end before it has read everything.
  const closed = untilEvent(child, 'close');
  const gone = untilEvent(child, 'exit').then(async () => {
    await clearGroup(pid);
    guard().forget(pid);
    // The group is gone, so all of its output can be read now; a daemon in another group may still hold the streams, though.
    await Promise.race([closed, sleep(CLOSED_MS, undefined, { ref: false })]);
    return child.exitCode;
  });
  const exited = (): Promise<number | null> => {
    child.ref();
    return gone;
  };
  return {
    ...{ pid, exited, ...written },
    get running() {
      return isRunning(child);
    },
    says: (pattern, timeout = READY_MS) => waitFor(pattern, { ...written, exited, child, timeout }),
    write: (text) => void child.stdin?.write(text),
    signal: (name) => void (isRunning(child) && child.kill(name)), // false, not an error, when it has just exited
    freeze: async () => {
      if (signalGroup(pid, 'SIGSTOP')) await standstill(await membersOf(pid));
    },
    resume: () => void signalGroup(pid, 'SIGCONT'),
    kill: () => {
      signalGroup(pid, 'SIGKILL');
      return exited();
    },
    stop: async (grace = GRACE_MS) => {
      signalGroup(pid, 'SIGCONT'); // A stopped process cannot act on SIGTERM.
      if (isRunning(child)) process.kill(pid, 'SIGTERM');
      const timer = setTimeout(() => signalGroup(pid, 'SIGKILL'), grace);
      const code = await exited();
      clearTimeout(timer);
      return code;
    },
  };
}

function spawnDetached(
  file: string,
  args: readonly string[],
  { cwd, env, logFile, input = false }: ProgramOptions,
): ChildProcess {
  const log = logFile === undefined ? 'pipe' : openSync(logFile, 'a');
  try {
    const stdio: StdioOptions = [input ? 'pipe' : 'ignore', log, log];
    return spawn(file, args, { cwd, env: { ...process.env, ...env }, detached: true, stdio });
  } finally {
    if (typeof log === 'number') closeSync(log);
  }
}

async function pidOf(child: ChildProcess): Promise<number> {
  try {
    await once(child, 'spawn');
  } catch (cause) {
    throw new Error(`could not be started: ${messageOf(cause)}`, { cause });
  }
  return child.pid!;
}

const isRunning = ({ exitCode, signalCode }: ChildProcess): boolean => exitCode === null && signalCode === null;

const untilEvent = (child: ChildProcess, name: 'exit' | 'close'): Promise<void> =>
  new Promise((resolve) => child.once(name, () => resolve()));

/**
 * Helpers a program leaves in its group (such as epmd) go with it. Bounded, because a group may hold a zombie that nobody
 * reaps: it counts as present for ever.
 */
async function clearGroup(group: number): Promise<void> {
  for (let attempt = 0; attempt < 20 && signalGroup(group, 'SIGKILL'); attempt += 1) await sleep(10);
}

/** Returns whether the group still had a process that could be signalled. */
function signalGroup(group: number, name: NodeJS.Signals): boolean {
  try {
    process.kill(-group, name);
    return true;
  } catch {
    // ESRCH: nothing left in the group, which is what every caller wants in the end.
    return false;
  }
}

type Output = Pick<Program, 'output' | 'stdout' | 'stderr'>;

function keptOutput(child: ChildProcess, onStdout?: (text: string) => void): Output {
  const texts = { output: '', stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (text: string) => {
      texts.output += text;
      texts[name] += text;
      if (name === 'stdout') onStdout?.(text);
    });
  }
  return { output: () => texts.output, stdout: () => texts.stdout, stderr: () => texts.stderr };
}

const loggedOutput = (file: string): Output => ({
  output: () => readFileSync(file, 'utf8'),
  stdout: () => '',
  stderr: () => '',
});

interface Wait extends Pick<Program, 'output' | 'exited'> {
  readonly child: ChildProcess;
  readonly timeout: number;
}

async function waitFor(pattern: RegExp, { output, exited, child, timeout }: Wait): Promise<RegExpExecArray> {
  const deadline = performance.now() + timeout;
  for (;;) {
    const over = !isRunning(child);
    if (over) await exited(); // What it wrote last counts.
    const found = pattern.exec(output());
    if (found) return found;
    if (over) throw failure(`exited with ${child.exitCode ?? child.signalCode} at its start`, output());
    if (performance.now() > deadline) throw failure(`was not ready within ${timeout / 1000} s`, output());
    await sleep(LOOK_MS);
  }
}

/** Lines of a log that an error shows. */
const SHOWN_LINES = 3;

function failure(what: string, output: string): Error {
  const lines = output
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  const telling = lines.find((line) => /^\w*error\b/i.test(line)) ?? lines.slice(-SHOWN_LINES).join(' | ');
  return new Error(`${what}: ${telling}`, { cause: new Error(output) });
}
