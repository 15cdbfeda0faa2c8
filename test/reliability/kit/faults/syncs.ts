import { startProgram } from '@magpie/brokers';
import { errorMessage } from '@magpie/contract';

const ATTACH_MS = 5000;

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
  const strace = await startProgram('strace', ['-f', '-o', '/dev/null', ...inject, '-p', String(pid)]);
  await strace.says(/ attached/, ATTACH_MS).catch(async (error: unknown) => {
    await strace.kill();
    throw new Error(`strace does not attach to process ${pid}: ${errorMessage(error)}`, { cause: error });
  });
  return {
    restore: async () => {
      strace.signal('SIGINT');
      await strace.exited();
    },
  };
}

/** Why strace cannot tamper with a process here, as a sentence; undefined when it can. */
export async function tamperRefusal(): Promise<string | undefined> {
  const child = await startProgram(process.execPath, ['-e', 'setTimeout(() => {}, 30_000)']);
  try {
    const tampered = await tamperWithSyncs(child.pid, 'error=EIO');
    await tampered.restore();
    return undefined;
  } catch (error) {
    return errorMessage(error);
  } finally {
    await child.kill();
  }
}
