/** Time as the gateway sees it. Wall time stamps events and judges expiry; `monotonic` measures durations. */
export interface Clock {
  /** Wall time, ms since the epoch. May jump. */
  now(): number;
  /** Milliseconds that never go back, for durations and deadlines. */
  monotonic(): number;
  /** Calls `callback` once after `ms`; the result cancels. */
  timeout(ms: number, callback: () => void): () => void;
}

/**
 * Time in ms since the epoch that does not jump when the wall clock is set: it starts at the wall time of this call and goes on
 * with the monotonic clock. For spans that a restart must survive approximately, and a step of the clock exactly.
 */
export function steadyTime(clock: Pick<Clock, 'now' | 'monotonic'>): () => number {
  const start = clock.now() - clock.monotonic();
  return () => start + clock.monotonic();
}

/** Timers of more than 31 bits of ms would fire at once. */
const LONGEST_MS = 2 ** 31 - 1;

/** The real clock. Its timers do not keep the process alive. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  timeout: (ms, callback) => {
    let timer: NodeJS.Timeout;
    const wait = (left: number): void => {
      const step = Math.min(left, LONGEST_MS);
      timer = setTimeout(() => (left > step ? wait(left - step) : callback()), step);
      timer.unref();
    };
    wait(ms);
    return () => clearTimeout(timer);
  },
};

/** Resolves after `ms` of a clock, or at once when the signal fires. Never rejects. */
export function sleep(clock: Pick<Clock, 'timeout'>, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const done = (): void => {
      cancel();
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const cancel = clock.timeout(ms, done);
    signal?.addEventListener('abort', done, { once: true });
  });
}

/** A signal that fires after `ms` of a clock, or with the given one; `cancel` ends the waiting. */
export function deadline(
  clock: Pick<Clock, 'timeout'>,
  ms: number,
  signal?: AbortSignal,
): { readonly signal: AbortSignal; readonly timedOut: () => boolean; readonly cancel: () => void } {
  const controller = new AbortController();
  let timedOut = false;
  const cancel = clock.timeout(ms, () => {
    timedOut = true;
    controller.abort(new DOMException(`not done within ${ms} ms`, 'TimeoutError'));
  });
  const both = signal ? AbortSignal.any([signal, controller.signal]) : controller.signal;
  return { signal: both, timedOut: () => timedOut, cancel };
}
