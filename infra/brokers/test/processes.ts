import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** Whether process `pid` runs; false for undefined, and for one that ended and was not yet reaped by its parent. */
export function isRunning(pid: number | undefined): boolean {
  if (pid === undefined) return false;
  try {
    process.kill(pid, 0);
  } catch {
    // ESRCH: no such process, which is the answer.
    return false;
  }
  return process.platform !== 'linux' || !/^\d+ \(.*\) Z /.test(readStatus(pid));
}

function readStatus(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    // Reaped between the two looks: the same as a zombie.
    return `${pid} () Z `;
  }
}

/**
 * Waits until process `pid` is gone.
 * @throws Error when it still runs after 5 s.
 */
export async function waitUntilGone(pid: number | undefined): Promise<void> {
  const deadline = performance.now() + 5000;
  while (isRunning(pid)) {
    if (performance.now() > deadline) throw new Error(`Process ${pid} still runs.`);
    await sleep(20);
  }
}
