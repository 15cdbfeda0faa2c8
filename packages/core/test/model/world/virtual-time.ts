import type { Clock } from '@magpie/contract';

interface Timer {
  readonly at: number;
  readonly run: () => void;
}

/** Time that stands still until it is moved. Timers of a process that has crashed are forgotten by `clear`. */
export interface VirtualTime extends Clock {
  /** Moves time on, running what falls due on the way; `settle` is awaited after each timer. */
  advance(ms: number, settle: () => Promise<void>): Promise<void>;
  /** Lets much time pass at once: what falls due runs late, and once. */
  jump(ms: number, settle: () => Promise<void>): Promise<void>;
  clear(): void;
}

/** Makes a virtual time. */
export function virtualTime(): VirtualTime {
  let now = 1_000_000;
  let timers = new Set<Timer>();
  const nextUntil = (until: number): Timer | undefined => {
    let next: Timer | undefined;
    for (const timer of timers) if (timer.at <= until && (!next || timer.at < next.at)) next = timer;
    return next;
  };
  const runUntil = async (until: number, settle: () => Promise<void>): Promise<void> => {
    for (let next = nextUntil(until); next; next = nextUntil(until)) {
      timers.delete(next);
      now = Math.max(now, next.at);
      next.run();
      await settle();
    }
    now = until;
  };
  return {
    now: () => now,
    monotonic: () => now,
    timeout: (ms, run) => {
      const timer = { at: now + Math.max(0, ms), run };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    advance: (ms, settle) => runUntil(now + ms, settle),
    jump: (ms, settle) => {
      now += ms;
      return runUntil(now, settle);
    },
    clear: () => {
      timers = new Set();
    },
  };
}

/** Puts `random` behind `Math.random`; returns what puts the real one back. */
export function replaceRandom(random: () => number): () => void {
  const real = Math.random;
  Math.random = random;
  return () => {
    Math.random = real;
  };
}

/** Numbers from 0 to 1 that follow from a seed. */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
