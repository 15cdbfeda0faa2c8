import { describe, expect, it } from 'vitest';
import { createEventAges, type SavedAges } from '../../src/shared/event-ages.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** A clock whose wall time can be set while time goes on. */
function settableClock() {
  let [elapsed, offset, uptime, boots] = [500, 1_800_000_000_000, 10 * HOUR, 1];
  return {
    now: () => elapsed + offset,
    monotonic: () => elapsed,
    uptime: () => uptime + elapsed,
    boot: () => `boot ${boots}`,
    /** A new process: its monotonic clock begins anew. */
    restart: () => {
      uptime += elapsed;
      offset += elapsed;
      elapsed = 0;
    },
    /** The machine is started again after a time. */
    reboot: (ms: number) => {
      boots++;
      offset += elapsed + ms;
      [elapsed, uptime] = [0, 30_000];
    },
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
    const ages = createEventAges(clock, clock);
    const received = clock.now();
    clock.pass(HOUR);
    expect(ages.of(received)).toBe(HOUR);
  });

  it('counts the time before the gateway started by the wall clock', () => {
    const clock = settableClock();
    expect(createEventAges(clock, clock).of(clock.now() - DAY)).toBe(DAY);
  });

  it('does not jump when the clock is set forward', () => {
    const clock = settableClock();
    const ages = createEventAges(clock, clock);
    const received = clock.now();
    clock.pass(HOUR);
    clock.set(DAY);
    clock.pass(HOUR);
    expect(ages.of(received)).toBe(2 * HOUR);
  });

  it('is right for what is received after the step', () => {
    const clock = settableClock();
    const ages = createEventAges(clock, clock);
    clock.pass(HOUR);
    clock.set(DAY);
    const received = clock.now();
    clock.pass(1);
    expect(ages.of(received)).toBe(1);
  });

  it('does not jump either when the clock is set forward and then back, or the other way round', () => {
    const clock = settableClock();
    const ages = createEventAges(clock, clock);
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
    const ages = createEventAges(clock, clock);
    const received = clock.now();
    clock.set(DAY);
    ages.of(received);
    clock.set(-DAY);
    clock.pass(HOUR);
    expect(ages.of(received)).toBe(HOUR);
  });

  it('stays right over more steps than are kept apart', () => {
    const clock = settableClock();
    const ages = createEventAges(clock, clock);
    const received = clock.now();
    for (let step = 0; step < 250; step++) {
      clock.pass(1000);
      clock.set(HOUR);
      expect(ages.of(received)).toBe((step + 1) * 1000);
    }
  });
});

describe('the age of an event of an earlier process', () => {
  /** A clock, what was received by it, and what a process has saved of it an hour later. */
  function lived() {
    const clock = settableClock();
    const ages = createEventAges(clock, clock);
    const received = clock.now();
    clock.pass(HOUR);
    return { clock, received, saved: savedBy(ages) };
  }
  const savedBy = ({ save }: { save(): SavedAges }): SavedAges => JSON.parse(JSON.stringify(save()));

  it('is what has really passed when the clock was set between two processes', () => {
    for (const step of [10 * DAY, 3650 * DAY]) {
      const { clock, received, saved } = lived();
      clock.restart();
      clock.set(step);
      clock.pass(5000);
      const ages = createEventAges(clock, clock, saved);
      expect(ages.of(received)).toBe(HOUR + 5000);
      expect(ages.of(clock.now())).toBe(0);
      expect(ages.alarm()).toBeUndefined();
    }
  });

  it('counts the time in which no process ran', () => {
    const { clock, received, saved } = lived();
    clock.restart();
    clock.pass(10 * DAY);
    expect(createEventAges(clock, clock, saved).of(received)).toBe(10 * DAY + HOUR);
  });

  it('is still right after a third process, and when the clock is set right again', () => {
    const { clock, received, saved } = lived();
    clock.restart();
    clock.set(10 * DAY);
    const second = savedBy(createEventAges(clock, clock, saved));
    clock.restart();
    clock.pass(HOUR);
    const third = createEventAges(clock, clock, second);
    expect(third.of(received)).toBe(2 * HOUR);
    clock.set(-10 * DAY);
    clock.pass(HOUR);
    expect(third.of(received)).toBe(3 * HOUR);
  });

  it('is told by the wall clock when the machine was started again', () => {
    const { clock, received, saved } = lived();
    clock.reboot(10 * DAY);
    const ages = createEventAges(clock, clock, saved);
    expect(ages.of(received)).toBe(10 * DAY + HOUR);
    expect(ages.alarm()).toBeUndefined();
  });

  it('does not count years that the wall clock says between two starts of the machine, with an alarm', () => {
    const { clock, received, saved } = lived();
    clock.reboot(10_000 * DAY);
    const ages = createEventAges(clock, clock, saved);
    expect(ages.of(received)).toBe(HOUR + 30_000);
    expect(ages.alarm()).toMatch(/^the clock says 20.*messages that wait do not count as older/);
  });

  it('is told by the wall clock where starts of the machine have no name', () => {
    const { clock, received, saved } = lived();
    clock.restart();
    clock.pass(10 * DAY);
    const nameless = { uptime: clock.uptime, boot: () => undefined };
    expect(createEventAges(clock, nameless, saved).of(received)).toBe(10 * DAY + HOUR);
  });
});
