import { setTimeout as sleep } from 'node:timers/promises';

/** Whether process `pid` exists; false for undefined. */
export function isRunning(pid: number | undefined): boolean {
  if (pid === undefined) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    // ESRCH: no such process, which is the answer.
    return false;
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
