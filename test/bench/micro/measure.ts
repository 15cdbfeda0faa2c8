import { measure as sampled } from 'mitata';
import type { Case, Subject } from './case.ts';
import type { Figures } from './report/results.ts';

/** How long to measure. */
export interface Effort {
  /** Measured time of a case, ms. */
  readonly budget: number;
  /** Calls before that, so that the code is compiled, ms. */
  readonly warmUp: number;
}

/** What a run of the command takes. */
export const EFFORT: Effort = { budget: 500, warmUp: 150 };

/** Calls shorter than this, in ns, are timed in batches: a look at the clock would be a good part of them. */
const SHORT = 10_000;
/** Calls in a batch. */
const BATCH = 128;
/** How many of the latest results are kept. A result that escapes cannot be optimized away, nor can the work for it. */
const KEPT = 64;

/**
 * Measures one case: makes it ready, warms it up, takes samples, and checks results of the calls before and of those that
 * were measured.
 * @throws what `prepare`, `check` or `close` throws.
 */
export async function measureCase(each: Case, effort: Effort): Promise<Figures> {
  const subject = await each.prepare();
  const calls = record(subject);
  try {
    const isShort = (await warmUp(calls.call, effort.warmUp)) < SHORT;
    calls.check();
    globalThis.gc?.();
    const figures = await sample(calls.call, isShort, effort.budget);
    calls.check();
    return { operations: each.operations ?? 1, ...figures };
  } finally {
    // It also judges what all calls have left behind.
    await subject.close?.(calls.made());
  }
}

type Call = () => unknown;

async function sample(call: Call, isShort: boolean, budget: number): Promise<Omit<Figures, 'operations'>> {
  const before = process.cpuUsage();
  const { avg, p50, p99, ticks, samples } = await sampled(call, {
    ...{ gc: false, min_cpu_time: budget * 1e6, min_samples: 5, batch_samples: BATCH },
    ...{ warmup_threshold: Number.MAX_VALUE, batch_threshold: isShort ? Number.MAX_VALUE : -1 },
  });
  const { user, system } = process.cpuUsage(before);
  const batch = Math.round(ticks / samples.length);
  // The extremes are not among the samples, but their calls were made.
  const made = ticks + OUTSIDE * batch;
  return { mean: avg, cpu: ((user + system) * 1000) / made, p50, p99, calls: ticks, batch };
}

/** Samples that mitata leaves out: the two shortest and the two longest. */
const OUTSIDE = 4;

/** Counts calls and keeps the latest results. */
function record(subject: Subject) {
  const kept = Array.from({ length: KEPT }, (): { result: unknown; call: number } => ({ result: undefined, call: -1 }));
  let made = 0;
  const keep = (result: unknown, call: number): void => {
    const place = kept[call % KEPT]!;
    place.result = result;
    place.call = call;
  };
  const call: Call = () => {
    const number = made++;
    const result = subject.run(number);
    if (result instanceof Promise) return result.then((value) => keep(value, number));
    keep(result, number);
    return undefined;
  };
  return {
    call,
    made: () => made,
    /** Checks every result that is kept. */
    check: (): void => {
      if (made === 0) throw new Error('nothing was called');
      for (const { result, call: number } of kept) if (number >= 0) subject.check(result, number);
    },
  };
}

/** How much longer calls that wait are warmed up: they begin with threads of their own, whose code is cold as well. */
const THREADS = 4;

/** @returns the time of the quickest call, ns: what a call takes when nothing comes in between. */
async function warmUp(call: Call, time: number): Promise<number> {
  const start = performance.now();
  let least = Number.POSITIVE_INFINITY;
  let end = start + time;
  for (let now = start; now < end; ) {
    const result = call();
    if (result instanceof Promise) {
      end = start + time * THREADS;
      await result;
    }
    const after = performance.now();
    least = Math.min(least, (after - now) * 1e6);
    now = after;
  }
  return least;
}
