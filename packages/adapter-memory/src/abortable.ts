import { Aborted, throwIfAborted } from '@magpie/contract';

/**
 * Starts an operation unless the signal has fired, and waits for it at most until the signal fires; then rejects with
 * `Aborted`. Leaves no listener behind.
 */
export async function abortable<T>(signal: AbortSignal, start: () => Promise<T>): Promise<T> {
  throwIfAborted(signal);
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(new Aborted('cancelled', { cause: signal.reason }));
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([start(), aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
