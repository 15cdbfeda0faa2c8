import { getEventListeners } from 'node:events';
import { Malformed } from '@magpie/adapter-kit';
import { type Clock, systemClock, Transient } from '@magpie/contract';
import { describe, expect, it } from 'vitest';
import { createOutstanding } from '../../src/send/unconfirmed.ts';

const sent = { exchange: 'x', routingKey: 'k', id: 'm', bytes: 1 };
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
    const [first, second] = [outstanding.add(sent, never), outstanding.add(sent, never)];
    clock.pass(3000);
    outstanding.settle(2, false, () => undefined);
    expect(await second).toEqual({ confirmedBy: 'publisher-confirm' });
    clock.pass(3000);
    await expect(first).rejects.toMatchObject({ name: 'Unknown', message: expect.stringContaining('within 5 s') });
    outstanding.settle(1, false, () => new Transient('late'));
    expect(outstanding.size).toBe(0);
  });

  it('waits through an alarm, the time of which does not count', async () => {
    const clock = manualClock();
    let blocked = true;
    const outstanding = createOutstanding({ clock, timeout: 5000, blocked: () => blocked });
    const waiting = outstanding.add(sent, never);
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
    const waiting = outstanding.add(sent, controller.signal);
    controller.abort();
    await expect(waiting).rejects.toMatchObject({ name: 'Aborted' });
    expect(outstanding.size).toBe(0);
  });
});

describe('confirmations', () => {
  const outcome = (waiting: Promise<unknown>) =>
    waiting.then(
      () => 'taken',
      (error: Error) => error.message,
    );

  it('settle what they name whatever their order, each send once, while there are more than the ring began with', async () => {
    const outstanding = createOutstanding({ clock: manualClock(), timeout: 5000, blocked: () => false });
    const outcomes: Promise<string>[] = [];
    const taken = new Set<number>();
    let random = 1;
    for (let round = 0; round < 200; round++) {
      for (let each = 0; each < 7; each++) outcomes.push(outcome(outstanding.add(sent, never)));
      random = (random * 48_271) % 0x7fff_ffff;
      const number = Math.max(1, outcomes.length - (random % 150));
      const multiple = random % 5 === 0;
      for (let each = multiple ? 1 : number; each <= number; each++) taken.add(each);
      outstanding.settle(number, multiple, () => undefined);
      outstanding.settle(number, multiple, () => new Transient('a second time'));
      expect(outstanding.size).toBe(outcomes.length - taken.size);
    }
    outstanding.settleAll(() => new Transient('rest'));
    expect(outstanding.size).toBe(0);
    expect(await Promise.all(outcomes)).toEqual(outcomes.map((_, index) => (taken.has(index + 1) ? 'taken' : 'rest')));
    expect(outstanding.next).toBe(outcomes.length + 1);
  });

  it('of what was never sent break the protocol', () => {
    const outstanding = createOutstanding({ clock: manualClock(), timeout: 5000, blocked: () => false });
    expect(() => outstanding.settle(1, false, () => undefined)).toThrow(Malformed);
    void outstanding.add(sent, never);
    expect(() => outstanding.settle(2, true, () => undefined)).toThrow(Malformed);
    outstanding.settle(0, false, () => new Transient('nobody'));
    expect(outstanding.size).toBe(1);
  });
});

it('leaves no listener on a signal that outlives it', () => {
  const outstanding = createOutstanding({ clock: manualClock(), timeout: 5000, blocked: () => false });
  const signals = Array.from({ length: 3 }, () => new AbortController().signal);
  for (const signal of [...signals, ...signals]) outstanding.add(sent, signal).catch(() => undefined);
  expect(signals.map((signal) => getEventListeners(signal, 'abort').length)).toEqual([1, 1, 1]);
  outstanding.settle(6, true, () => undefined);
  expect(signals.map((signal) => getEventListeners(signal, 'abort').length)).toEqual([0, 0, 0]);
});

it('a returned message counts when its confirmation is judged', async () => {
  const outstanding = createOutstanding({ clock: manualClock(), timeout: 5000, blocked: () => false });
  const waiting = outstanding.add(sent, never);
  outstanding.returned(sent);
  outstanding.settle(1, false, ({ exchange }, returned) => (returned ? new Transient(exchange) : undefined));
  await expect(waiting).rejects.toMatchObject({ name: 'Transient', message: 'x' });
});

describe('a returned message whose id', () => {
  const judge = (_: unknown, returned: boolean) => (returned ? new Transient('returned') : undefined);
  const failed = async (ids: readonly string[], id: string): Promise<readonly boolean[]> => {
    const outstanding = createOutstanding({ clock: manualClock(), timeout: 5000, blocked: () => false });
    const receipts = ids.map((each) => outstanding.add({ ...sent, id: each }, never));
    outstanding.returned({ ...sent, id });
    outstanding.settle(ids.length, true, judge);
    const outcomes = await Promise.allSettled(receipts);
    return outcomes.map(({ status }) => status === 'rejected');
  };

  it('is its own fails alone', async () => {
    expect(await failed(['a', 'b', 'c'], 'b')).toEqual([false, true, false]);
  });

  it('others have as well fails with them: sent twice is better than lost', async () => {
    expect(await failed(['a', 'b', 'a'], 'a')).toEqual([true, false, true]);
  });

  it('nobody has fails with all that went to that place', async () => {
    expect(await failed(['a', 'b'], 'changed on the way')).toEqual([true, true]);
  });

  it('and place nobody has fails with all there are', async () => {
    const outstanding = createOutstanding({ clock: manualClock(), timeout: 5000, blocked: () => false });
    const receipt = outstanding.add(sent, never);
    outstanding.returned({ ...sent, routingKey: 'elsewhere' });
    outstanding.settle(1, false, judge);
    await expect(receipt).rejects.toBeInstanceOf(Transient);
  });

  it('could not be written as it is is known by what was', async () => {
    expect(await failed(['lone \ud800', 'b'], 'lone \ufffd')).toEqual([true, false]);
  });
});
