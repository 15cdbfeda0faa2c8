import { describe, expect, it } from 'vitest';
import { createAges } from '../../src/delivery/backlog/ages.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** A clock whose wall time can be set while time goes on. */
function settableClock() {
  let [elapsed, offset] = [500, 1_800_000_000_000];
  return {
    now: () => elapsed + offset,
    monotonic: () => elapsed,
    pass: (ms: number) => {
      elapsed += ms;
    },
    set: (ms: number) => {
      offset += ms;
    },
  };
}

describe('the age of an event', () => {
  it('grows with time', () => {
    const clock = settableClock();
    const ages = createAges(clock);
    const received = clock.now();
    clock.pass(HOUR);
    expect(ages.of(received)).toBe(HOUR);
  });

  it('counts the time before the gateway started by the wall clock', () => {
    const clock = settableClock();
    expect(createAges(clock).of(clock.now() - DAY)).toBe(DAY);
  });

  it('does not jump when the clock is set forward', () => {
    const clock = settableClock();
    const ages = createAges(clock);
    const received = clock.now();
    clock.pass(HOUR);
    clock.set(DAY);
    clock.pass(HOUR);
    expect(ages.of(received)).toBe(2 * HOUR);
  });

  it('is right for what is received after the step', () => {
    const clock = settableClock();
    const ages = createAges(clock);
    clock.pass(HOUR);
    clock.set(DAY);
    const received = clock.now();
    clock.pass(1);
    expect(ages.of(received)).toBe(1);
  });

  it('does not jump either when the clock is set forward and then back, or the other way round', () => {
    const clock = settableClock();
    const ages = createAges(clock);
    for (const step of [DAY, -DAY, -HOUR, HOUR, 2 * DAY, -DAY]) {
      const received = clock.now();
      expect(ages.of(received)).toBe(0);
      clock.set(step);
      clock.pass(1000);
      if (step > 0) expect(ages.of(received)).toBe(1000);
      else expect(ages.of(received)).toBeLessThanOrEqual(1000);
    }
  });

  it('is not lowered for good when the clock is set forward by mistake and then right again', () => {
    const clock = settableClock();
    const ages = createAges(clock);
    const received = clock.now();
    clock.set(DAY);
    ages.of(received);
    clock.set(-DAY);
    clock.pass(HOUR);
    expect(ages.of(received)).toBe(HOUR);
  });

  it('stays right over more steps than are kept apart', () => {
    const clock = settableClock();
    const ages = createAges(clock);
    const received = clock.now();
    for (let step = 0; step < 250; step++) {
      clock.pass(1000);
      clock.set(HOUR);
      expect(ages.of(received)).toBe((step + 1) * 1000);
    }
  });
});
