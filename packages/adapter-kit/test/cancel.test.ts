import { getEventListeners } from 'node:events';
import { AbortWatch, onAbort, untilAborted, withDeadline } from '@magpie/adapter-kit';
import { Aborted, type Clock, NotConnected, Rejected, systemClock } from '@magpie/contract';
import { describe, expect, it, vi } from 'vitest';

const listeners = (signal: AbortSignal): number => getEventListeners(signal, 'abort').length;

describe('watching a signal', () => {
  it('costs one listener however many wait, and none once nobody does', () => {
    const { signal } = new AbortController();
    const watch = new AbortWatch<{ readonly signal: AbortSignal }>(() => undefined);
    const [one, two] = [{ signal }, { signal }];
    watch.watch(one);
    watch.watch(two);
    expect(listeners(signal)).toBe(1);
    watch.done(one);
    watch.done(one);
    expect(listeners(signal)).toBe(1);
    watch.done(two);
    expect(listeners(signal)).toBe(0);
  });

  it('cancels those that wait for the signal that fires, and nobody else', () => {
    const cancelled: string[] = [];
    const watch = new AbortWatch<{ readonly signal: AbortSignal; readonly name: string }>(({ name }) => {
      cancelled.push(name);
    });
    const [first, other] = [new AbortController(), new AbortController()];
    for (const name of ['a', 'b']) watch.watch({ signal: first.signal, name });
    watch.watch({ signal: other.signal, name: 'c' });
    first.abort();
    expect(cancelled).toEqual(['a', 'b']);
  });

  it('calls back at once when the signal has fired already, and never after it was ended', () => {
    const callback = vi.fn();
    onAbort(AbortSignal.abort(), callback);
    expect(callback).toHaveBeenCalledTimes(1);
    const controller = new AbortController();
    onAbort(controller.signal, callback)();
    controller.abort();
    expect(callback).toHaveBeenCalledTimes(1);
  });
});

describe('waiting until a signal fires', () => {
  it('gives the result, and the failure, of what was waited for', async () => {
    const { signal } = new AbortController();
    await expect(untilAborted(Promise.resolve(7), signal)).resolves.toBe(7);
    await expect(untilAborted(Promise.reject(new Rejected('no')), signal)).rejects.toThrow(Rejected);
    expect(listeners(signal)).toBe(0);
  });

  it('ends as Aborted with the reason; a failure that comes later harms nobody', async () => {
    const controller = new AbortController();
    const late = Promise.withResolvers<void>();
    const waiting = untilAborted(late.promise, controller.signal, 'sending was cancelled');
    controller.abort('stop');
    await expect(waiting).rejects.toMatchObject({ name: 'Aborted', message: 'sending was cancelled', cause: 'stop' });
    late.reject(new Error('too late'));
    await expect(untilAborted(new Promise(() => undefined), AbortSignal.abort())).rejects.toThrow(Aborted);
  });
});

describe('a deadline', () => {
  const timers: (() => void)[] = [];
  const clock: Clock = {
    ...systemClock,
    timeout(_ms, call) {
      timers.push(call);
      return () => void timers.splice(timers.indexOf(call), 1);
    },
  };
  const late = (): NotConnected => new NotConnected('too slow');
  const untilFired = (signal: AbortSignal): Promise<never> => untilAborted(new Promise<never>(() => undefined), signal);

  it('gives the result in time and leaves neither timer nor listener', async () => {
    const { signal } = new AbortController();
    await expect(withDeadline({ clock, ms: 5, signal, what: 'x', late }, async () => 'done')).resolves.toBe('done');
    expect([timers.length, listeners(signal)]).toEqual([0, 0]);
  });

  it('says its own error when the time is over, after the operation has ended', async () => {
    const { signal } = new AbortController();
    let ended = false;
    const running = withDeadline({ clock, ms: 5, signal, what: 'x', late }, (limited) =>
      untilFired(limited).finally(() => {
        ended = true;
      }),
    );
    timers[0]?.();
    await expect(running).rejects.toMatchObject({ name: 'NotConnected', message: 'too slow' });
    expect([ended, timers.length, listeners(signal)]).toEqual([true, 0, 0]);
  });

  it('says Aborted when the caller cancels, and the operation’s own error otherwise', async () => {
    const controller = new AbortController();
    const running = withDeadline({ clock, ms: 5, signal: controller.signal, what: 'connecting', late }, untilFired);
    controller.abort();
    await expect(running).rejects.toMatchObject({ name: 'Aborted', message: 'connecting was cancelled' });
    const never = new AbortController().signal;
    const refused = withDeadline({ clock, ms: 5, signal: never, what: 'x', late }, () =>
      Promise.reject(new Rejected('no')),
    );
    await expect(refused).rejects.toThrow(Rejected);
  });
});
