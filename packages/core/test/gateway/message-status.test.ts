import { memoryBroker } from '@magpie/adapter-memory';
import { createMemoryLog } from '@magpie/bus';
import { type Rejected, Throttled, Transient } from '@magpie/contract';
import { describe, expect, it, vi } from 'vitest';
import { bodies, bridge, freshBrokers, startGateway } from './gateway-fixture.ts';

const TARGET = 'bridge/right/channel:out/${name}';

/** A gateway with this policy of retries, and one message that `right` has refused as often as said. */
async function withRefused(retry: object, count: number, error: () => Transient | Rejected | Throttled) {
  const names = freshBrokers();
  const log = createMemoryLog({});
  const state = vi.spyOn(log, 'state');
  const started = await startGateway(names, { bridge: { ...bridge.bridge, retry } }, log);
  const { gateway } = started;
  await vi.waitFor(() => expect(gateway.connections().every(({ state: up }) => up === 'up')).toBe(true));
  memoryBroker(names.right).refuseSends(count, error);
  memoryBroker(names.left).publish('in/a', { body: Buffer.from('1') });
  const ref = await vi.waitFor(async () => {
    const [stored] = await log.read(undefined, 1);
    expect(stored).toBeDefined();
    return stored!.event.ref;
  });
  const target = async () => (await gateway.message(ref))?.targets[0];
  return { ...started, names, ref, target, reads: () => state.mock.calls.length };
}

describe('what is shown of a message', () => {
  it('whose target is suspended: why, and when it is tried next', async () => {
    const { target } = await withRefused({}, 1, () => new Throttled('the channel is busy', 60_000));
    await vi.waitFor(async () =>
      expect(await target()).toMatchObject({
        consumer: TARGET,
        state: 'waiting',
        attempts: 0,
        error: 'the target is suspended: the channel is busy',
        nextAttempt: expect.any(Number),
      }),
    );
  });

  it('that is out of attempts and holds its lane: blocked, until it is released', async () => {
    const retry = { attempts: 2, backoff: { min: '1ms', max: '1ms' }, then: 'block' };
    const { gateway, target, names } = await withRefused(retry, 2, () => new Transient('queue full'));
    await vi.waitFor(async () => expect(await target()).toMatchObject({ state: 'blocked', attempts: 2 }));
    expect((await target())?.failures?.map(({ message }) => message)).toEqual(['queue full', 'queue full']);
    expect(gateway.decide(TARGET, {}, 'retry')).toBe(1);
    await vi.waitFor(() => expect(bodies(names.right, 'out/a')).toEqual(['1']));
  });

  it('that became a dead letter: each attempt', async () => {
    const retry = { attempts: 2, backoff: { min: '1ms', max: '1ms' } };
    const { target } = await withRefused(retry, 2, () => new Transient('queue full'));
    await vi.waitFor(async () => expect(await target()).toMatchObject({ state: 'dead', attempts: 2 }));
    expect((await target())?.failures).toMatchObject([{ message: 'queue full' }, { message: 'queue full' }]);
  });
});

it('the backlogs of removed targets are named without reading what waits in them', async () => {
  const slow = { backoff: { min: '1h', max: '1h' } };
  const { gateway, reload, target, reads } = await withRefused(slow, 1, () => new Transient('queue full'));
  await vi.waitFor(async () => expect(await target()).toMatchObject({ state: 'held' }));
  expect(await gateway.orphans()).toEqual([]);
  await reload({});
  const before = reads();
  expect(await gateway.orphans()).toEqual([{ consumer: TARGET, since: expect.any(Number), backlog: true }]);
  expect(reads()).toBe(before);
});
