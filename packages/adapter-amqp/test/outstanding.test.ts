import { type Clock, systemClock, Transient } from '@magpie/contract';
import { describe, expect, it } from 'vitest';
import { createOutstanding } from '../src/outstanding.ts';

const sent = { exchange: 'x', routingKey: 'k', bytes: 1 };
const never = new AbortController().signal;

/** A clock that goes on only when told to. */
function manualClock(): Clock & { pass(ms: number): void } {
  let now = 0;
  let timers: { at: number; callback: () => void }[] = [];
  return {
    ...systemClock,
    monotonic: () => now,
    timeout(ms, callback) {
      const timer = { at: now + ms, callback };
      timers.push(timer);
      return () => {
        timers = timers.filter((other) => other !== timer);
      };
    },
    pass(ms) {
      for (const end = now + ms; now < end; ) {
        now += 100;
        const due = timers.filter(({ at }) => at <= now);
        timers = timers.filter(({ at }) => at > now);
        for (const { callback } of due) callback();
      }
    },
  };
}

describe('a send without a confirmation', () => {
  it('is unknown after the confirm timeout, a confirmation after that is ignored', async () => {
    const clock = manualClock();
    const outstanding = createOutstanding({ clock, timeout: 5000, blocked: () => false });
    const [first, second] = [outstanding.add('1', sent, never), outstanding.add('2', sent, never)];
    clock.pass(3000);
    outstanding.settle('2', () => undefined);
    expect(await second).toEqual({ confirmedBy: 'publisher-confirm' });
    clock.pass(3000);
    await expect(first).rejects.toMatchObject({ name: 'Unknown', message: expect.stringContaining('within 5 s') });
    outstanding.settle('1', () => new Transient('late'));
    expect(outstanding.size).toBe(0);
  });

  it('waits through an alarm, the time of which does not count', async () => {
    const clock = manualClock();
    let blocked = true;
    const outstanding = createOutstanding({ clock, timeout: 5000, blocked: () => blocked });
    const waiting = outstanding.add('1', sent, never);
    clock.pass(600_000);
    blocked = false;
    clock.pass(4000);
    expect(outstanding.size).toBe(1);
    clock.pass(2000);
    await expect(waiting).rejects.toMatchObject({ name: 'Unknown' });
  });

  it('ends by its signal', async () => {
    const outstanding = createOutstanding({ clock: manualClock(), timeout: 5000, blocked: () => false });
    const controller = new AbortController();
    const waiting = outstanding.add('1', sent, controller.signal);
    controller.abort();
    await expect(waiting).rejects.toMatchObject({ name: 'Aborted' });
    expect(outstanding.size).toBe(0);
  });
});

it('a returned message is told to whoever judges its confirmation', async () => {
  const outstanding = createOutstanding({ clock: manualClock(), timeout: 5000, blocked: () => false });
  const waiting = outstanding.add('1', sent, never);
  outstanding.returned('unheard of');
  outstanding.returned('1');
  outstanding.settle('1', ({ exchange }, returned) => (returned ? new Transient(exchange) : undefined));
  await expect(waiting).rejects.toMatchObject({ name: 'Transient', message: 'x' });
});
