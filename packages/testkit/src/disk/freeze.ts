import { setTimeout as sleep } from 'node:timers/promises';
import { standstill } from '@magpie/brokers';

/** Time for what stopped processes have printed before to arrive, in ms. */
const DRAIN_MS = 5;

/**
 * Runs `work` while the processes stand still: all their threads are stopped, no system call of theirs is under way, and
 * what they have written to pipes has been read. They continue afterwards, even when `work` fails.
 * @throws Error when a process has ended, or does not stop within 10 s.
 */
export async function whileFrozen<Result>(pids: readonly number[], work: () => Promise<Result>): Promise<Result> {
  try {
    for (const pid of pids) stop(pid);
    await standstill(pids);
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
    // It has ended meanwhile, which its parent finds out.
  }
}
