import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { waitFor } from './wait.ts';

/** Time for what stopped processes have printed before to arrive, in ms. */
const DRAIN_MS = 5;

/**
 * Runs `work` while the processes stand still: all their threads are stopped, no system call of theirs is under way, and
 * what they have written to pipes has been read. They go on afterwards, whatever happens.
 * @throws Error when a process has ended, or does not stop within 10 s.
 */
export async function whileFrozen<Result>(pids: readonly number[], work: () => Promise<Result>): Promise<Result> {
  try {
    for (const pid of pids) stop(pid);
    for (const pid of pids) {
      await waitFor(() => isStopped(pid), { what: `process ${pid} to stop`, timeout: 10_000, interval: 1 });
    }
    await sleep(DRAIN_MS);
    return await work();
  } finally {
    for (const pid of pids) resume(pid);
  }
}

function stop(pid: number): void {
  try {
    process.kill(pid, 'SIGSTOP');
  } catch (cause) {
    throw new Error(`process ${pid} has ended: it must go on until it is told to end`, { cause });
  }
}

function resume(pid: number): void {
  try {
    process.kill(pid, 'SIGCONT');
  } catch {
    // It has ended meanwhile; whoever started it hears of that.
  }
}

/** Whether every thread of a process is stopped; a thread inside a system call that cannot be interrupted is not yet. */
async function isStopped(pid: number): Promise<boolean> {
  const tasks = `/proc/${pid}/task`;
  const states = await Promise.all((await readdir(tasks)).map((task) => stateOf(`${tasks}/${task}/stat`)));
  return states.every((state) => state === 'T');
}

/** The state of a thread: the first letter after the name, which stands in parentheses. */
async function stateOf(file: string): Promise<string | undefined> {
  const text = await readFile(file, 'utf8');
  return text.slice(text.lastIndexOf(')') + 2)[0];
}
