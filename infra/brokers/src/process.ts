import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { guard } from './guard.ts';
import { membersOf, standstill } from './standstill.ts';

/** How to start a program that stays in the foreground. */
export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  /** File that its output is appended to. */
  readonly logFile: string;
}

/** A running program and everything it started, as one process group. */
export interface RunningProcess {
  readonly pid: number;
  readonly running: boolean;
  /** Resolves when the program has exited and its whole group is gone. Never rejects. */
  exited(): Promise<void>;
  /** Sends `name` to the whole group. Does nothing when it is gone. */
  signal(name: NodeJS.Signals): void;
  /** SIGSTOP to the whole group; resolves when all its threads stand still. */
  freeze(): Promise<void>;
  /** SIGTERM to the program, SIGKILL to the group after `grace` milliseconds; resolves as `exited` does. */
  terminate(grace: number): Promise<void>;
}

/**
 * Starts `command` in its own process group, guarded against outliving this process.
 * @throws Error when the program cannot be started.
 */
export async function startProcess(command: Command): Promise<RunningProcess> {
  const child = spawnDetached(command);
  const pid = await pidOf(child, command.file);
  const state = { running: true };
  guard().watch(pid);
  const gone = whenExited(child).then(async () => {
    state.running = false;
    await killGroup(pid);
    guard().forget(pid);
  });
  // The program itself does not keep this process alive, waiting for its end does.
  const exited = () => {
    child.ref();
    return gone;
  };
  return {
    pid,
    exited,
    get running() {
      return state.running;
    },
    signal: (name) => void signalGroup(pid, name),
    freeze: async () => {
      if (signalGroup(pid, 'SIGSTOP')) await standstill(await membersOf(pid));
    },
    terminate: async (grace) => {
      // A stopped process cannot act on SIGTERM.
      signalGroup(pid, 'SIGCONT');
      if (state.running) process.kill(pid, 'SIGTERM');
      const timer = setTimeout(() => signalGroup(pid, 'SIGKILL'), grace);
      await exited();
      clearTimeout(timer);
    },
  };
}

function spawnDetached(command: Command): ChildProcess {
  const log = openSync(command.logFile, 'a');
  try {
    const { file, args, env, cwd } = command;
    const child = spawn(file, args, { env, cwd, detached: true, stdio: ['ignore', log, log] });
    child.unref();
    return child;
  } finally {
    closeSync(log);
  }
}

function pidOf(child: ChildProcess, file: string): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', (cause) => reject(new Error(`Could not start ${file}: ${cause.message}`, { cause })));
    child.once('spawn', () => child.pid !== undefined && resolve(child.pid));
  });
}

function whenExited(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    child.once('exit', () => resolve());
  });
}

/**
 * Helpers a broker leaves in its group (such as epmd) go with it. Bounded, because a group may hold a zombie that
 * nobody reaps: it counts as present for ever.
 */
async function killGroup(group: number): Promise<void> {
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
