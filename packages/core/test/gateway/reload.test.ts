import { memoryBroker } from '@magpie/adapter-memory';
import { createMemoryLog } from '@magpie/bus';
import { Rejected } from '@magpie/contract';
import { describe, expect, it, vi } from 'vitest';
import { bodies, bridge, freshBrokers, numbered, publishAll, startGateway } from './gateway-fixture.ts';

describe('a gateway whose plan changes', () => {
  it('reloads under load: nothing lost, nothing sent twice, the untouched link stays up', async () => {
    const names = freshBrokers();
    const { gateway, reload } = await startGateway(names, bridge);
    await vi.waitFor(() => expect(gateway.connections().every(({ state }) => state === 'up')).toBe(true));
    publishAll(names.left, numbered(100));
    const report = await reload({
      bridge: { ...bridge.bridge, to: { connection: 'right', channel: 'out/${name}', headers: { revision: '2' } } },
      copy: { from: { connection: 'left', channel: 'in/{name}' }, to: { connection: 'right', channel: 'copy' } },
    });
    expect(report).toMatchObject({
      connections: { added: [], removed: [], changed: [], unchanged: ['left', 'right'] },
      targets: { added: ['copy/right/channel:copy'], removed: [] },
    });
    publishAll(names.left, ['after']);
    await vi.waitFor(() => expect(bodies(names.right, 'out/a')).toEqual([...numbered(100), 'after']));
    await vi.waitFor(() => expect(bodies(names.right, 'copy').at(-1)).toBe('after'));
    expect(gateway.connections().map(({ attempts }) => attempts)).toEqual([1, 1]);
  });

  it('reconnects only the connection whose keys changed, and delivers over the new link', async () => {
    const names = freshBrokers();
    const { gateway, reload } = await startGateway(names, bridge);
    await vi.waitFor(() => expect(gateway.connections().every(({ state }) => state === 'up')).toBe(true));
    const report = await reload(bridge, { fifoWindow: 1 });
    expect(report.connections).toMatchObject({ changed: ['right'], unchanged: ['left'] });
    publishAll(names.left, numbered(10));
    await vi.waitFor(() => expect(bodies(names.right, 'out/a')).toEqual(numbered(10)));
  });

  it('lets what is in flight on a changed connection be confirmed before it says goodbye: nothing goes twice', async () => {
    const names = freshBrokers();
    const { gateway, reload } = await startGateway(names, bridge);
    await vi.waitFor(() => expect(gateway.connections().every(({ state }) => state === 'up')).toBe(true));
    memoryBroker(names.right).holdConfirmations();
    publishAll(names.left, numbered(5));
    await vi.waitFor(() => expect(bodies(names.right, 'out/a')).toEqual(numbered(5)));
    const reloaded = reload(bridge, { fifoWindow: 7 });
    await new Promise((resolve) => setTimeout(resolve, 100));
    memoryBroker(names.right).releaseConfirmations();
    await reloaded;
    publishAll(names.left, ['after']);
    await vi.waitFor(() => expect(bodies(names.right, 'out/a')).toEqual([...numbered(5), 'after']), { timeout: 5000 });
  });

  it('delivers what it has taken in by the routes of that time, also when a stricter route comes', {
    timeout: 20_000,
  }, async () => {
    const names = freshBrokers();
    const { gateway, log, reload } = await startGateway(names, bridge);
    await vi.waitFor(() => expect(gateway.connections().every(({ state }) => state === 'up')).toBe(true));
    memoryBroker(names.right).stop();
    publishAll(names.left, numbered(3000));
    await vi.waitFor(async () => expect((await log.stats()).events).toBe(3000));
    await vi.waitFor(async () => expect((await log.state()).matched).toBe(log.head()));
    expect(gateway.targets().some(({ lagging }) => lagging)).toBe(true);
    await reload({ bridge: { ...bridge.bridge, when: 'text == "late"' } });
    publishAll(names.left, ['refused', 'late']);
    memoryBroker(names.right).start();
    await vi.waitFor(() => expect(bodies(names.right, 'out/a')).toHaveLength(3001), { timeout: 10_000 });
    expect(bodies(names.right, 'out/a')).toEqual([...numbered(3000), 'late']);
  });

  it('does not count a target that came later among those of a message', async () => {
    const names = freshBrokers();
    const { gateway, log, reload } = await startGateway(names, bridge);
    await vi.waitFor(() => expect(gateway.connections().every(({ state }) => state === 'up')).toBe(true));
    publishAll(names.left, ['early']);
    await vi.waitFor(() => expect(bodies(names.right, 'out/a')).toEqual(['early']));
    await new Promise((resolve) => setTimeout(resolve, 5));
    await reload({ ...bridge, late: { ...bridge.bridge, to: { connection: 'right', channel: 'late' } } });
    const [stored] = await log.read(undefined, 1);
    const consumers = (await gateway.message(stored!.event.ref))?.targets.map(({ consumer }) => consumer);
    expect(consumers).toEqual(['bridge/right/channel:out/${name}']);
  });

  it('tries again what was blocked', async () => {
    const names = freshBrokers();
    const blocking = { ...bridge.bridge, order: 'strict', retry: { attempts: 1, then: 'block' } };
    const { gateway, reload } = await startGateway(names, { bridge: blocking });
    await vi.waitFor(() => expect(gateway.connections().every(({ state }) => state === 'up')).toBe(true));
    memoryBroker(names.right).refuseSends(1, () => new Rejected('not today'));
    publishAll(names.left, ['first', 'second']);
    await vi.waitFor(() => expect(gateway.targets().some(({ blocked }) => blocked === 1)).toBe(true));
    expect(bodies(names.right, 'out/a')).toEqual([]);
    await reload({ bridge: blocking });
    await vi.waitFor(() => expect(bodies(names.right, 'out/a')).toEqual(['first', 'second']));
    expect(gateway.targets().every(({ blocked }) => blocked === 0)).toBe(true);
  });

  it('writes a dead letter for a direct message whose connection is gone', async () => {
    const names = freshBrokers();
    const log = createMemoryLog({});
    const event = {
      ref: '019aa000-0000-7000-8000-000000000000',
      source: '$direct',
      address: { scheme: 'channel', segments: ['x'] },
      kind: 'message' as const,
      key: 'x',
      time: Date.now(),
      receivedAt: Date.now(),
      body: Buffer.from('stranded'),
      headers: [],
      via: [],
      origin: { connection: 'gone', options: {} },
    };
    await log.commit({ append: [{ event }] });
    await startGateway(names, bridge, log);
    await vi.waitFor(async () =>
      expect(await log.deadLetters({ limit: 1 })).toMatchObject([{ consumer: '$direct/gone', reason: 'rejected' }]),
    );
  });

  it('begins a new target at the oldest event when it says so, once', async () => {
    const names = freshBrokers();
    const log = createMemoryLog({});
    const first = await startGateway(names, bridge, log);
    await vi.waitFor(() => expect(first.gateway.connections().every(({ state }) => state === 'up')).toBe(true));
    publishAll(names.left, numbered(5));
    await vi.waitFor(() => expect(bodies(names.right, 'out/a')).toEqual(numbered(5)));
    const history = { connection: 'right', channel: 'history', start: 'earliest' };
    const routes = { ...bridge, history: { from: bridge.bridge.from, to: history } };
    await first.reload(routes);
    await vi.waitFor(() => expect(bodies(names.right, 'history')).toEqual(numbered(5)));
    await first.gateway.drain(AbortSignal.timeout(500));
    const second = await startGateway(names, routes, log);
    await vi.waitFor(() => expect(second.gateway.connections().every(({ state }) => state === 'up')).toBe(true));
    publishAll(names.left, ['new']);
    await vi.waitFor(() => expect(bodies(names.right, 'history')).toEqual([...numbered(5), 'new']));
  });

  it('keeps the backlog of a removed target and goes on with it, not with what came meanwhile', async () => {
    const names = freshBrokers();
    const { gateway, log, reload } = await startGateway(names, bridge);
    await vi.waitFor(() => expect(gateway.connections().every(({ state }) => state === 'up')).toBe(true));
    memoryBroker(names.right).stop();
    await vi.waitFor(() => expect(gateway.connections().some(({ state }) => state !== 'up')).toBe(true));
    publishAll(names.left, numbered(3));
    await vi.waitFor(() =>
      expect(gateway.targets().find(({ consumer }) => consumer.startsWith('bridge'))?.waiting).toBe(3),
    );
    const other = {
      other: { from: { connection: 'left', channel: 'in/+' }, to: { connection: 'left', channel: 'x' } },
    };
    await reload(other);
    expect(await gateway.orphans()).toMatchObject([{ consumer: 'bridge/right/channel:out/${name}', backlog: true }]);
    await new Promise((resolve) => setTimeout(resolve, 5));
    publishAll(names.left, ['meanwhile']);
    await vi.waitFor(async () => expect((await log.stats()).events).toBe(4));
    await reload(bridge);
    memoryBroker(names.right).start();
    await vi.waitFor(() => expect(bodies(names.right, 'out/a')).toEqual(numbered(3)), { timeout: 5000 });
    publishAll(names.left, ['after']);
    await vi.waitFor(() => expect(bodies(names.right, 'out/a')).toEqual([...numbered(3), 'after']));
    expect(await gateway.orphans()).toMatchObject([{ consumer: 'other/left/channel:x', backlog: false }]);
  });

  it('keeps backlog and order when events come while a reload brings a target back', async () => {
    const names = freshBrokers();
    const { gateway, log, reload } = await startGateway(names, bridge);
    await vi.waitFor(() => expect(gateway.connections().every(({ state }) => state === 'up')).toBe(true));
    memoryBroker(names.right).stop();
    await vi.waitFor(() => expect(gateway.connections().some(({ state }) => state !== 'up')).toBe(true));
    publishAll(names.left, numbered(5));
    await vi.waitFor(async () => expect((await log.stats()).events).toBe(5));
    await reload({
      other: { from: { connection: 'left', channel: 'in/+' }, to: { connection: 'left', channel: 'x' } },
    });
    await new Promise((resolve) => setTimeout(resolve, 5));
    const reloading = reload(bridge);
    publishAll(names.left, ['5', '6']);
    await reloading;
    publishAll(names.left, ['7']);
    memoryBroker(names.right).start();
    await vi.waitFor(() => expect(bodies(names.right, 'out/a').at(-1)).toBe('7'), { timeout: 5000 });
    expect(bodies(names.right, 'out/a')).toEqual(numbered(8));
  });

  it('starts in order although another target has to look for its beginning', async () => {
    const names = freshBrokers();
    const log = createMemoryLog({});
    const first = await startGateway(names, bridge, log);
    await vi.waitFor(() => expect(first.gateway.connections().every(({ state }) => state === 'up')).toBe(true));
    memoryBroker(names.right).stop();
    publishAll(names.left, numbered(10));
    await vi.waitFor(async () => expect((await log.stats()).events).toBe(10));
    await first.gateway.drain(AbortSignal.timeout(200));
    const late = {
      from: bridge.bridge.from,
      to: { connection: 'left', channel: 'late', start: '2020-01-01T00:00:00Z' },
    };
    memoryBroker(names.right).start();
    await startGateway(names, { a_late: late, ...bridge }, log);
    await vi.waitFor(() => expect(bodies(names.right, 'out/a')).toHaveLength(10), { timeout: 5000 });
    expect(bodies(names.right, 'out/a')).toEqual(numbered(10));
  });
});
