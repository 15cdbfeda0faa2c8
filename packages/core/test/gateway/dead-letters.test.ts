import { memoryBroker } from '@magpie/adapter-memory';
import { Rejected } from '@magpie/contract';
import { describe, expect, it, vi } from 'vitest';
import { bodies, bridge, freshBrokers, numbered, publishAll, startGateway } from './gateway-fixture.ts';

describe('dead letters', () => {
  it('are made of bodies that the target’s connection does not send, before the adapter sees them', async () => {
    const names = freshBrokers();
    const past = {
      from: { connection: 'left', channel: 'in/{name}', durability: 'none' },
      to: { connection: 'right', channel: 'past/${name}' },
    };
    const { gateway } = await startGateway(names, { ...bridge, past }, undefined, { maxBodyBytes: '4B' });
    await vi.waitFor(() => expect(gateway.connections().every(({ state }) => state === 'up')).toBe(true));
    publishAll(names.left, ['1234', '12345', '4321']);
    await vi.waitFor(() => expect(bodies(names.right, 'out/a')).toEqual(['1234', '4321']));
    await vi.waitFor(() => expect(bodies(names.right, 'past/a')).toEqual(['1234', '4321']));
    expect(await gateway.deadLetters.list({ limit: 9 })).toMatchObject([
      {
        error: 'TooLarge',
        message: 'a body of 5 bytes: connection "right" sends at most 4; raise its limit, or send less',
      },
    ]);
  });

  it('tries a dead letter again, edited, and forgets it', async () => {
    const names = freshBrokers();
    const { gateway } = await startGateway(names, {
      bridge: {
        from: { connection: 'left', channel: 'in/{name}' },
        to: { connection: 'right', channel: 'out/${name}', text: '${payload.word}' },
      },
    });
    await vi.waitFor(() => expect(gateway.connections().every(({ state }) => state === 'up')).toBe(true));
    memoryBroker(names.left).publish('in/a', { body: Buffer.from('{}'), contentType: 'application/json' });
    const letter = await vi.waitFor(async () => {
      const [first] = await gateway.deadLetters.list({ limit: 10 });
      expect(first).toMatchObject({ reason: 'rejected', consumer: 'bridge/right/channel:out/${name}' });
      return first!;
    });
    await gateway.deadLetters.retry(letter.id, { payload: { word: 'mended' } });
    await vi.waitFor(() => expect(bodies(names.right, 'out/a')).toEqual(['mended']));
    await vi.waitFor(async () =>
      expect((await gateway.message(letter.event.ref))?.targets).toMatchObject([{ state: 'confirmed' }]),
    );
    expect(await gateway.deadLetters.list({ limit: 10 })).toHaveLength(0);
  });

  it('are tried again only as their route takes them: a condition that failed is judged again', async () => {
    const names = freshBrokers();
    const { gateway } = await startGateway(names, {
      bridge: { ...bridge.bridge, when: 'payload.severity >= 3' },
    });
    await vi.waitFor(() => expect(gateway.connections().every(({ state }) => state === 'up')).toBe(true));
    memoryBroker(names.left).publish('in/a', { body: Buffer.from('{}'), contentType: 'application/json' });
    const letter = await vi.waitFor(async () => {
      const [first] = await gateway.deadLetters.list({ limit: 1 });
      expect(first).toMatchObject({ reason: 'rejected' });
      return first!;
    });
    await expect(gateway.deadLetters.retry(letter.id)).rejects.toThrow(/severity/);
    await expect(gateway.deadLetters.retry(letter.id, { payload: { severity: 1 } })).rejects.toThrow(/does not take/);
    await gateway.deadLetters.retry(letter.id, { payload: { severity: 3 } });
    await vi.waitFor(() => expect(bodies(names.right, 'out/a')).toEqual(['{"severity":3}']));
  });

  it('stay dead letters while their target is away, however many are to be tried again', async () => {
    const names = freshBrokers();
    const { gateway } = await startGateway(names, bridge);
    await vi.waitFor(() => expect(gateway.connections().every(({ state }) => state === 'up')).toBe(true));
    memoryBroker(names.right).refuseSends(20, () => new Rejected('not today'));
    publishAll(names.left, numbered(20));
    await vi.waitFor(async () => expect(await gateway.deadLetters.list({ limit: 99 })).toHaveLength(20));
    memoryBroker(names.right).stop();
    await vi.waitFor(() => expect(gateway.connections()[1]?.state).not.toBe('up'));
    await gateway.deadLetters.retryAll({}, 1000);
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(await gateway.deadLetters.list({ limit: 99 })).toHaveLength(20);
    memoryBroker(names.right).start();
    await vi.waitFor(() => expect(bodies(names.right, 'out/a').toSorted()).toEqual(numbered(20).toSorted()), {
      timeout: 8000,
    });
  });

  it('do not wait for those of another target that takes nothing', async () => {
    const names = freshBrokers();
    const { gateway } = await startGateway(names, bridge);
    await vi.waitFor(() => expect(gateway.connections().every(({ state }) => state === 'up')).toBe(true));
    memoryBroker(names.right).refuseSends(1, () => new Rejected('not today'));
    memoryBroker(names.left).refuseSends(1, () => new Rejected('not today'));
    await gateway.direct({ to: { connection: 'left', channel: 'mine' }, text: 'x' });
    await gateway.direct({ to: { connection: 'right', channel: 'yours' }, text: 'x' });
    await vi.waitFor(async () => expect(await gateway.deadLetters.list({ limit: 9 })).toHaveLength(2));
    memoryBroker(names.right).stop();
    await vi.waitFor(() => expect(gateway.connections()[1]?.state).not.toBe('up'));
    await gateway.deadLetters.retryAll({}, 1000);
    await vi.waitFor(() => expect(bodies(names.left, 'mine')).toEqual(['x']));
    expect(await gateway.deadLetters.list({ limit: 9 })).toMatchObject([{ consumer: '$direct/right' }]);
  });

  it('tries all dead letters of a target again at a rate', async () => {
    const names = freshBrokers();
    const { gateway } = await startGateway(names, bridge);
    await vi.waitFor(() => expect(gateway.connections().every(({ state }) => state === 'up')).toBe(true));
    memoryBroker(names.right).refuseSends(5, () => new Rejected('not today'));
    publishAll(names.left, numbered(5));
    await vi.waitFor(async () => expect(await gateway.deadLetters.list({ limit: 10 })).toHaveLength(5));
    expect(await gateway.deadLetters.retryAll({ reason: 'rejected' }, 500)).toEqual({ matched: 5, skipped: 0 });
    await vi.waitFor(() => expect(bodies(names.right, 'out/a')).toEqual(numbered(5)));
    await vi.waitFor(async () => expect(await gateway.deadLetters.list({ limit: 10 })).toHaveLength(0));
  });

  it('of a target that is configured no more are skipped, and it is said how many', async () => {
    const names = freshBrokers();
    const { gateway, reload } = await startGateway(names, bridge);
    await vi.waitFor(() => expect(gateway.connections().every(({ state }) => state === 'up')).toBe(true));
    memoryBroker(names.right).refuseSends(3, () => new Rejected('not today'));
    publishAll(names.left, numbered(3));
    await vi.waitFor(async () => expect(await gateway.deadLetters.list({ limit: 10 })).toHaveLength(3));
    await reload({});
    expect(await gateway.deadLetters.retryAll({}, 500)).toEqual({ matched: 3, skipped: 3 });
    await reload(bridge);
    expect(await gateway.deadLetters.retryAll({}, 1)).toEqual({ matched: 3, skipped: 0 });
    await vi.waitFor(() => expect(gateway.deadLetters.retrying()).toBe(2));
    expect(await gateway.deadLetters.list({ limit: 10 })).toHaveLength(2);
  });

  it('are tried again once, however many ask at the same time', async () => {
    const names = freshBrokers();
    const { gateway } = await startGateway(names, bridge);
    await vi.waitFor(() => expect(gateway.connections().every(({ state }) => state === 'up')).toBe(true));
    memoryBroker(names.right).refuseSends(1, () => new Rejected('not today'));
    publishAll(names.left, ['once']);
    const letter = await vi.waitFor(async () => {
      const [first] = await gateway.deadLetters.list({ limit: 1 });
      expect(first).toBeDefined();
      return first!;
    });
    const both = await Promise.allSettled([gateway.deadLetters.retry(letter.id), gateway.deadLetters.retry(letter.id)]);
    expect(both.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    await vi.waitFor(() => expect(bodies(names.right, 'out/a')).toEqual(['once']));
  });
});
