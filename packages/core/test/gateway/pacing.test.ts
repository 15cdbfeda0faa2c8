import { memoryBroker } from '@magpie/adapter-memory';
import { createMemoryLog, type EventLog } from '@magpie/bus';
import { expect, it, vi } from 'vitest';
import { PACING } from '../../src/delivery/pacing/stored.ts';
import {
  bodies,
  bridge,
  freshBrokers,
  numbered,
  publishAll,
  startGateway,
  type TestGateway,
} from './gateway-fixture.ts';

const rated = {
  bridge: { ...bridge.bridge, rate: { max: 2, per: '1s', summary: '${count} more from ${names}' } },
};

async function started(
  names = freshBrokers(),
  log: EventLog = createMemoryLog({}),
  routes: Record<string, unknown> = rated,
) {
  const test: TestGateway = await startGateway(names, routes, log);
  await vi.waitFor(() => expect(test.gateway.connections().every(({ state }) => state === 'up')).toBe(true));
  return { ...test, names, log };
}

const windowsOf = async (log: EventLog) => [...(await log.values(PACING))].filter(([key]) => key.includes('\nwindow '));

/** Resolves when a window that has counted so many is kept. */
const counted = (log: EventLog, count: number) =>
  vi.waitFor(async () => {
    const windows = await windowsOf(log);
    expect(windows.map(([, value]) => JSON.parse(value).count)).toEqual([count]);
    return windows;
  });

it('what exceeds a rate is shown as dropped, and a summary of it is a message of its own', async () => {
  const { gateway, names, log } = await started();
  publishAll(names.left, numbered(5));
  await counted(log, 3);
  expect(bodies(names.right, 'out/')).toEqual(['0', '1']);
  expect(gateway.targets()).toContainEqual(
    expect.objectContaining({ consumer: expect.stringMatching(/^bridge/), limited: 3 }),
  );
  await vi.waitFor(() => expect(bodies(names.right, 'out/')).toEqual(['0', '1', '3 more from a']), { timeout: 5000 });
  const events = await log.read(undefined, 10);
  const status = async (index: number) => (await gateway.message(events[index]!.event.ref))?.targets[0];
  expect(await status(2)).toMatchObject({ state: 'dropped', error: expect.stringContaining('a summary counts it') });
  await vi.waitFor(async () => expect(await status(5)).toMatchObject({ state: 'confirmed', connection: 'right' }));
  await vi.waitFor(async () => expect(await windowsOf(log)).toEqual([]));
});

it('a summary that a kill makes once more is in the log once', async () => {
  const { gateway, names, log } = await started();
  publishAll(names.left, numbered(3));
  const kept = await counted(log, 1);
  await vi.waitFor(() => expect(bodies(names.right, 'out/')).toHaveLength(3), { timeout: 5000 });
  await gateway.drain(AbortSignal.timeout(1000));
  // As the log is when the process ends before it forgets the window.
  await log.commit({ values: kept.map(([key, value]) => ({ connection: PACING, key, value })) });
  await started(names, log);
  await vi.waitFor(async () => expect(await windowsOf(log)).toEqual([]), { timeout: 5000 });
  expect(await log.read(undefined, 10)).toHaveLength(4);
});

it('a window goes on after a restart', async () => {
  const { gateway, names, log } = await started();
  publishAll(names.left, numbered(4));
  await counted(log, 2);
  await gateway.drain(AbortSignal.timeout(1000));
  await started(names, log);
  await vi.waitFor(() => expect(bodies(names.right, 'out/')).toEqual(['0', '1', '2 more from a']), { timeout: 5000 });
});

it('a request that exceeds a rate is answered at once as refused', async () => {
  const reply = { from: { channel: 'answers' }, timeout: '60s', onRefused: 'not sent: ${reply.error}' };
  const { names } = await started(undefined, undefined, {
    bridge: { ...bridge.bridge, rate: { max: 1, per: '1h' }, reply },
  });
  for (const body of ['first', 'second'])
    memoryBroker(names.left).publish('in/a', {
      body: Buffer.from(body),
      replyTo: { scheme: 'channel', segments: ['back', body] },
    });
  await vi.waitFor(() =>
    expect(bodies(names.left, 'back/second')).toEqual([
      'not sent: the rate of channel:out/a is used up (1 in 3600000 ms)',
    ]),
  );
  expect(bodies(names.right, 'out/')).toEqual(['first']);
  expect(bodies(names.left, 'back/first')).toEqual([]);
});

it('what quiet hours hold is shown as waiting for their end, and goes when a reload ends them', async () => {
  const inHours = (hours: number) => new Date(Date.now() + hours * 3_600_000).toISOString().slice(11, 16);
  const quiet = { from: inHours(-1), to: inHours(2), timeZone: 'UTC' };
  const { gateway, names, log, reload } = await started(undefined, undefined, { bridge: { ...bridge.bridge, quiet } });
  publishAll(names.left, ['1', '2']);
  await vi.waitFor(() => expect(gateway.targets()[0]).toMatchObject({ waiting: 2, quietUntil: expect.any(Number) }));
  const [first] = await log.read(undefined, 1);
  expect((await gateway.message(first!.event.ref))?.targets).toMatchObject([
    { state: 'waiting', error: 'the target has its quiet hours', nextAttempt: expect.any(Number) },
  ]);
  expect(bodies(names.right, 'out/')).toEqual([]);
  await reload(bridge);
  await vi.waitFor(() => expect(bodies(names.right, 'out/')).toEqual(['1', '2']));
});
