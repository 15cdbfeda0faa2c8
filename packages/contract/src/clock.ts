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
