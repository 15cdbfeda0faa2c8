import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { DriverCalls } from './specification.ts';

/** The generator's process, from outside. One call at a time. */
export interface Driver {
  readonly pid: number;
  /** Rejects with what went wrong at an end, or when the process has ended. */
  call<K extends keyof DriverCalls>(call: K, order: DriverCalls[K]['order']): Promise<DriverCalls[K]['result']>;
  stop(): Promise<void>;
}

/** Starts the generator, which ends when the channel to this process closes. Called once per path. */
export function startDriver(): Driver {
  const child = fork(join(import.meta.dirname, 'main.ts'), {
    execArgv: ['--disable-warning=ExperimentalWarning'],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    serialization: 'advanced',
  });
  const gone = once(child, 'exit');
  return {
    pid: child.pid!,
    call: async (call, order) => {
      child.send({ call, order });
      const ended = new AbortController();
      try {
        const message = once(child, 'message', { signal: ended.signal });
        const [reply] = await Promise.race([
          message,
          gone.then(([code]) => [{ error: `the generator ended with ${code}` }]),
        ]);
        if ('error' in reply) throw new Error(String(reply.error));
        return reply.result;
      } finally {
        ended.abort();
      }
    },
    stop: async () => {
      child.disconnect();
      await gone;
    },
  };
}
