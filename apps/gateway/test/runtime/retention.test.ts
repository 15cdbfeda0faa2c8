import { createMemoryLog, LogFailed } from '@magpie/bus';
import { newRef } from '@magpie/contract';
import { expect, it, onTestFinished, vi } from 'vitest';
import { keepWithinLimits } from '../../src/runtime/retention.ts';

const event = () => ({
  ref: newRef(),
  source: 's',
  address: { scheme: 'topic', segments: ['a'] },
  kind: 'message' as const,
  key: 'a',
  time: 1,
  receivedAt: Date.now(),
  body: new Uint8Array(10),
  headers: [],
  via: [],
  origin: {},
});

const limits = () => ({ retain: 3_600_000, maxBytes: 0 });

it('removes what no consumer needs when retention runs', async () => {
  const log = createMemoryLog();
  const onFatal = vi.fn();
  const keeper = keepWithinLimits(log, limits, onFatal);
  onTestFinished(keeper.stop);
  await log.commit({ append: [{ event: event() }, { event: event() }, { event: event() }] });
  const [, second] = await log.read(undefined, 2);
  await log.commit({ matched: second!.position });
  keeper.sweep();
  await expect.poll(async () => (await log.stats()).events).toBe(1);
  expect(onFatal).not.toHaveBeenCalled();
});

it('reports a log that failed, and nothing after it was stopped', async () => {
  const failure = new LogFailed('a damaged file');
  const log = { lowestFloor: async () => undefined, retain: () => Promise.reject(failure) };
  const onFatal = vi.fn();
  const keeper = keepWithinLimits(log, limits, onFatal);
  keeper.sweep();
  await expect.poll(() => onFatal.mock.calls).toEqual([[failure]]);
  keeper.sweep();
  keeper.stop();
  keeper.sweep();
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(onFatal).toHaveBeenCalledTimes(1);
});
