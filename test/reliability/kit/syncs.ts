import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { errorMessage } from '@magpie/contract';
import { waitFor } from '@magpie/testkit';

/** A disk made worse than it is. */
export interface TamperedSyncs {
  /** Leaves the process as it was; it may have ended. */
  restore(): Promise<void>;
}

/**
 * Tampers with every fsync and fdatasync of a running process, by strace: `how` is what strace injects into them, as
 * `error=EIO` or `delay_enter=200ms`. Resolves when it is in force in all threads.
 */
export async function tamperWithSyncs(pid: number, how: string): Promise<TamperedSyncs> {
  const inject = ['-e', 'trace=fsync,fdatasync', '-e', `inject=fsync,fdatasync:${how}`];
  const child = spawn('strace', ['-f', '-o', '/dev/null', ...inject, '-p', String(pid)], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const ended = once(child, 'exit');
  await attached(child, pid);
  return {
    restore: async () => {
      child.kill('SIGINT');
      await ended;
    },
  };
}

async function attached(child: ChildProcess, pid: number): Promise<void> {
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  child.on('error', (error) => {
    said += errorMessage(error);
  });
  const done = (): boolean => said.includes(' attached') || child.exitCode !== null || child.pid === undefined;
  await waitFor(done, { what: `strace to attach to process ${pid}` });
  if (!said.includes(' attached')) throw new Error(`strace does not attach: ${said.trim()}`);
}

/** Why strace cannot tamper with a process here, as a sentence; undefined when it can. */
export async function tamperRefusal(): Promise<string | undefined> {
  const child = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 30_000)'], { stdio: 'ignore' });
  try {
    const tampered = await tamperWithSyncs(child.pid!, 'error=EIO');
    await tampered.restore();
    return undefined;
  } catch (error) {
    return errorMessage(error);
  } finally {
    child.kill('SIGKILL');
  }
}
