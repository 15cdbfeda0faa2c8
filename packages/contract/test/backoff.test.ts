import { type Clock, createRetry, fullJitter, RECONNECT } from '@magpie/contract';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

/** Timers that run when the test says so. */
function manualTimers() {
  const pending: { readonly ms: number; readonly run: () => void }[] = [];
  const timeout: Clock['timeout'] = (ms, run) => {
    const timer = { ms, run };
    pending.push(timer);
    return () => {
      const at = pending.indexOf(timer);
      if (at >= 0) pending.splice(at, 1);
    };
  };
  return { pending, timeout, fire: () => pending.shift()?.run() };
}

describe('the full-jitter backoff', () => {
  it('grows from half a second to at most three seconds', () => {
    expect([0, 1, 2, 20].map((attempt) => fullJitter(RECONNECT, attempt, () => 0))).toEqual([500, 500, 500, 500]);
    expect([0, 1, 5, 20].map((attempt) => fullJitter(RECONNECT, attempt, () => 1))).toEqual([500, 1000, 3000, 3000]);
  });

  it('stays within its bounds for any attempt', () => {
    const bounds = fc.tuple(fc.integer({ min: 1, max: 10_000 }), fc.integer({ min: 0, max: 1_000_000 }));
    fc.assert(
      fc.property(
        bounds,
        fc.nat({ max: 1_000_000 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        ([min, more], attempt, chance) => {
          const wait = fullJitter({ min, max: min + more }, attempt, () => chance);
          expect(wait).toBeGreaterThanOrEqual(min);
          expect(wait).toBeLessThanOrEqual(min + more);
        },
      ),
    );
  });
});

describe('a retry', () => {
  it('waits longer until it is reset', () => {
    const timers = manualTimers();
    const retry = createRetry(timers, { min: 10, max: 40 });
    const waits: number[] = [];
    for (let round = 0; round < 200; round++) {
      retry.schedule(() => undefined);
      waits.push(timers.pending[0]?.ms ?? -1);
      timers.fire();
    }
    expect(waits[0]).toBe(10);
    expect(Math.max(...waits)).toBeGreaterThan(10);
    retry.reset();
    retry.schedule(() => undefined);
    expect(timers.pending[0]?.ms).toBe(10);
  });

  it('keeps one thing scheduled, drops it when cancelled, and takes none once stopped', () => {
    const timers = manualTimers();
    const retry = createRetry(timers);
    const ran: string[] = [];
    retry.schedule(() => ran.push('replaced'));
    retry.schedule(() => ran.push('first'));
    timers.fire();
    retry.schedule(() => ran.push('cancelled'));
    retry.cancel();
    retry.schedule(() => ran.push('second'));
    timers.fire();
    retry.schedule(() => ran.push('stopped'));
    retry.stop();
    retry.schedule(() => ran.push('too late'));
    expect(timers.pending).toEqual([]);
    expect(ran).toEqual(['first', 'second']);
  });
});
