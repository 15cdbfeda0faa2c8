import { memoryBroker } from '@magpie/adapter-memory';
import { describe, expect, it, vi } from 'vitest';
import { bodies, bridge, freshBrokers, numbered, publishAll, startGateway } from './gateway-fixture.ts';

const past = {
  past: {
    from: { connection: 'left', channel: 'in/{name}', durability: 'none' },
    to: { connection: 'right', channel: 'past/${name}' },
  },
};

const up = async (gateway: { connections(): readonly { state: string }[] }): Promise<void> => {
  await vi.waitFor(() => expect(gateway.connections().every(({ state }) => state === 'up')).toBe(true));
};

describe('a source with durability none', () => {
  it('feeds its targets past the log, in order', async () => {
    const names = freshBrokers();
    const { gateway, log } = await startGateway(names, past);
    await up(gateway);
    publishAll(names.left, numbered(300));
    await vi.waitFor(() => expect(bodies(names.right, 'past/a')).toEqual(numbered(300)));
    expect((await log.stats()).events).toBe(0);
    expect(gateway.targets()).toContainEqual(
      expect.objectContaining({ consumer: 'past/right/channel:past/${name}', waiting: 0, flying: 0 }),
    );
  });

  it('leaves the log to another route on the same messages', async () => {
    const names = freshBrokers();
    const { gateway, log } = await startGateway(names, { ...past, ...bridge });
    await up(gateway);
    publishAll(names.left, numbered(20));
    await vi.waitFor(() => expect(bodies(names.right, 'past/a')).toEqual(numbered(20)));
    await vi.waitFor(() => expect(bodies(names.right, 'out/a')).toEqual(numbered(20)));
    expect((await log.stats()).events).toBe(20);
  });

  it('keeps nothing for a target that is away', async () => {
    const names = freshBrokers();
    const { gateway } = await startGateway(names, past);
    await up(gateway);
    memoryBroker(names.right).stop();
    await vi.waitFor(() => expect(gateway.connections()[1]?.state).not.toBe('up'));
    publishAll(names.left, ['lost']);
    memoryBroker(names.right).start();
    await vi.waitFor(() => expect(gateway.connections()[1]?.state).toBe('up'), { timeout: 5000 });
    publishAll(names.left, ['seen']);
    await vi.waitFor(() => expect(bodies(names.right, 'past/a')).toEqual(['seen']));
  });

  it('is bounded: what a slow target cannot take is dropped', async () => {
    const names = freshBrokers();
    const { gateway } = await startGateway(names, past);
    await up(gateway);
    memoryBroker(names.right).setLatency(50);
    publishAll(names.left, numbered(5000));
    await vi.waitFor(() => expect(bodies(names.right, 'past/a').length).toBeGreaterThan(0));
    expect(gateway.targets().find(({ consumer }) => consumer.startsWith('past'))?.waiting).toBeLessThanOrEqual(1000);
    memoryBroker(names.right).setLatency(0);
    await vi.waitFor(() => {
      const load = gateway.targets().find(({ consumer }) => consumer.startsWith('past'));
      expect(load).toMatchObject({ waiting: 0, flying: 0 });
    });
    const seen = bodies(names.right, 'past/a').map(Number);
    expect(seen.length).toBeLessThan(5000);
    expect(seen).toEqual(seen.toSorted((a, b) => a - b));
  });

  it('can be moved to the log and back by a reload', async () => {
    const names = freshBrokers();
    const { gateway, log, reload } = await startGateway(names, past);
    await up(gateway);
    const consumer = 'past/right/channel:past/${name}';
    const logged = { past: { ...past.past, from: { connection: 'left', channel: 'in/{name}' } } };
    expect((await reload(logged)).targets).toMatchObject({ added: [consumer], removed: [consumer] });
    publishAll(names.left, ['by the log']);
    await vi.waitFor(() => expect(bodies(names.right, 'past/a')).toEqual(['by the log']));
    expect((await log.stats()).events).toBe(1);
    expect((await reload(past)).targets).toMatchObject({ added: [consumer], removed: [consumer] });
    publishAll(names.left, ['past it']);
    await vi.waitFor(() => expect(bodies(names.right, 'past/a')).toEqual(['by the log', 'past it']));
    expect((await log.stats()).events).toBe(1);
  });
});
