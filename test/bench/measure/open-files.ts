import { readFileSync } from 'node:fs';
import { run } from '@magpie/brokers';

/** Files and sockets that a process may have open; from the text of its /proc/<pid>/limits. NaN where it does not say. */
export function openFilesOf(limits: string): number {
  const soft = /^Max open files\s+(\S+)/m.exec(limits)?.[1];
  return soft === 'unlimited' ? Number.POSITIVE_INFINITY : Number(soft ?? Number.NaN);
}

const allowed = (pid: number): number => {
  try {
    return openFilesOf(readFileSync(`/proc/${pid}/limits`, 'utf8'));
  } catch {
    return Number.NaN; // No Linux: opening the files will tell.
  }
};

/**
 * Lets a process have so many files and sockets open, where this user may decide that.
 * @throws Error with what to do when it may not.
 */
export async function allowOpenFiles(who: string, pid: number, wanted: number): Promise<void> {
  if (!(allowed(pid) < wanted)) return;
  try {
    await run('prlimit', ['--pid', `${pid}`, `--nofile=${wanted}:${wanted}`]);
  } catch {
    // Refused, or there is no such program: the limit is looked at again.
  }
  const limit = allowed(pid);
  if (!(limit < wanted)) return;
  const [most, least] = [limit, wanted].map((value) => value.toLocaleString('en-US'));
  throw new Error(`${who} needs ${least} open files and may have ${most}: run "ulimit -n ${wanted}" as root before`);
}
