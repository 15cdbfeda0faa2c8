import { describe, expect, it } from 'vitest';
import { steadyTime } from '../src/clock.ts';

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
