import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

/** Longest wait for a process to stand still, ms. */
const PATIENCE_MS = 10_000;

/**
 * Resolves when every thread of the processes is stopped and no system call of theirs is under way: SIGSTOP reaches the
 * threads of a busy process one after the other, some milliseconds after it was sent. A process that has ended is as good.
 * Where the system has no `/proc`, resolves at once.
 * @throws Error naming the process that still runs after 10 s.
 */
export async function standstill(pids: readonly number[]): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  for (const pid of pids) {
    while (!(await isStopped(pid))) {
      if (performance.now() >= deadline) throw new Error(`Process ${pid} does not stop within ${PATIENCE_MS} ms.`);
      await sleep(1);
    }
  }
}

/** The processes of a group. Called per pause; empty where the system has no `/proc`. */
export async function membersOf(group: number): Promise<readonly number[]> {
  const entries = await readdir('/proc').catch(() => []);
  const pids = entries.filter((entry) => /^\d+$/.test(entry)).map(Number);
  const groups = await Promise.all(pids.map(async (pid) => (await fieldsOf(`/proc/${pid}/stat`))?.[2]));
  return pids.filter((_, index) => Number(groups[index]) === group);
}

/** A thread inside a system call that cannot be interrupted is not stopped yet. */
async function isStopped(pid: number): Promise<boolean> {
  const tasks = `/proc/${pid}/task`;
  const threads = await readdir(tasks).catch(() => []);
  const states = await Promise.all(threads.map(async (thread) => (await fieldsOf(`${tasks}/${thread}/stat`))?.[0]));
  return states.every((state) => state === undefined || 'TtZX'.includes(state));
}

/** What follows the name, which stands in parentheses and may hold anything: state, parent, group … Undefined when it has ended. */
async function fieldsOf(file: string): Promise<readonly string[] | undefined> {
  const text = await readFile(file, 'utf8').catch(() => undefined);
  return text?.slice(text.lastIndexOf(')') + 2).split(' ');
}
