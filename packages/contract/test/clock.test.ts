import { describe, expect, it, vi } from 'vitest';
import { steadyTime, systemClock } from '../src/adapter/clock.ts';

describe('steady time', () => {
  it('starts at the wall time and goes on evenly when that is set', () => {
    let [wall, elapsed] = [1_800_000_000_000, 500];
    const time = steadyTime({ now: () => wall, monotonic: () => elapsed });
    expect(time()).toBe(1_800_000_000_000);
    wall += 86_400_000;
    elapsed += 10;
    expect(time()).toBe(1_800_000_000_010);
    wall -= 3 * 86_400_000;
    elapsed += 10;
    expect(time()).toBe(1_800_000_000_020);
  });
});

describe('the real clock', () => {
  it('waits longer than a timer of the platform can', () => {
    vi.useFakeTimers();
    try {
      const rang = vi.fn();
      const fortyDays = 40 * 86_400_000;
      systemClock.timeout(fortyDays, rang);
      const cancel = systemClock.timeout(fortyDays, () => expect.unreachable('it was cancelled'));
      vi.advanceTimersByTime(fortyDays - 1);
      expect(rang).not.toHaveBeenCalled();
      cancel();
      vi.advanceTimersByTime(1);
      expect(rang).toHaveBeenCalledOnce();
    } finally {
      vi.useRealTimers();
    }
  });
});
