import { memoryBroker } from '@magpie/adapter-memory';
import { createMemoryLog } from '@magpie/bus';
import { Rejected, Transient } from '@magpie/contract';
import { describe, expect, it, vi } from 'vitest';
import { freshBrokers, startGateway } from './gateway-fixture.ts';

const bridge = {
  bridge: { from: { connection: 'left', channel: 'in/{name}' }, to: { connection: 'right', channel: 'out/${name}' } },
};

const bodies = (broker: string, prefix: string): string[] =>
  memoryBroker(broker)
    .seen.filter(({ channel }) => channel.startsWith(prefix))
    .map(({ body }) => Buffer.from(body).toString());

const numbered = (count: number): string[] => Array.from({ length: count }, (_, index) => `${index}`);

const publishAll = (broker: string, texts: readonly string[]): void => {
  for (const text of texts) memoryBroker(broker).publish('in/a', { body: Buffer.from(text) });
};

describe('a gateway', () => {
  it('carries messages from one broker to another in order', async () => {
    const names = freshBrokers();
    const { gateway } = await startGateway(names, bridge);
    await vi.waitFor(() => expect(gateway.connections().every(({ state }) => state === 'up')).toBe(true));
    publishAll(names.left, numbered(300));
    await vi.waitFor(() => expect(bodies(names.right, 'out/a')).toEqual(numbered(300)));
  });

  it('keeps what comes in while the target is away, and delivers it when it is back', async () => {
    const names = freshBrokers();
    const { gateway, log } = await startGateway(names, bridge);
    await vi.waitFor(() => expect(gateway.connections().every(({ state }) => state === 'up')).toBe(true));
    memoryBroker(names.right).stop();
    publishAll(names.left, numbered(50));
    await vi.waitFor(async () => expect((await log.stats()).events).toBe(50));
    memoryBroker(names.right).start();
    await vi.waitFor(() => expect(bodies(names.right, 'out/a')).toEqual(numbered(50)), { timeout: 5000 });
  });

  it('loses nothing and keeps order when the target cuts its links under way', async () => {
    const names = freshBrokers();
    const { gateway } = await startGateway(names, bridge);
    await vi.waitFor(() => expect(gateway.connections().every(({ state }) => state === 'up')).toBe(true));
    memoryBroker(names.right).setLatency(1);
    for (let round = 0; round < 3; round++) {
      publishAll(
        names.left,
        numbered(40).map((text) => `${round}-${text}`),
      );
      memoryBroker(names.right).disconnectAll();
    }
    const expected = [0, 1, 2].flatMap((round) => numbered(40).map((text) => `${round}-${text}`));
    await vi.waitFor(() => expect(new Set(bodies(names.right, 'out/a'))).toEqual(new Set(expected)), { timeout: 8000 });
    expect([...new Set(bodies(names.right, 'out/a'))]).toEqual(expected);
  });

  it('goes on where it was after a restart on the same log', async () => {
    const names = freshBrokers();
    const log = createMemoryLog({});
    const first = await startGateway(names, bridge, log);
    await vi.waitFor(() => expect(first.gateway.connections().every(({ state }) => state === 'up')).toBe(true));
    memoryBroker(names.right).stop();
    publishAll(names.left, numbered(20));
    await vi.waitFor(async () => expect((await log.stats()).events).toBe(20));
    await first.gateway.drain(AbortSignal.timeout(500));
    memoryBroker(names.right).start();
    await startGateway(names, bridge, log);
    await vi.waitFor(() => expect(bodies(names.right, 'out/a')).toEqual(numbered(20)), { timeout: 5000 });
  });

  it('tells what became of a direct message', async () => {
    const names = freshBrokers();
    const { gateway } = await startGateway(names, bridge);
    const sent = await gateway.direct({ to: { connection: 'right', channel: 'out/direct' }, text: 'hello' });
    const { ref } = sent as { ref: string };
    await vi.waitFor(async () =>
      expect((await gateway.message(ref))?.targets).toMatchObject([
        { consumer: '$direct/right', connection: 'right', state: 'confirmed' },
      ]),
    );
    expect(bodies(names.right, 'out/direct')).toEqual(['hello']);
  });

  it('shows a message that is held behind refusals', async () => {
    const names = freshBrokers();
    const { gateway } = await startGateway(names, bridge);
    await vi.waitFor(() => expect(gateway.connections().every(({ state }) => state === 'up')).toBe(true));
    memoryBroker(names.right).refuseSends(1, () => new Transient('queue full'));
    const { ref } = (await gateway.direct({ to: { connection: 'right', channel: 'x' }, text: '1' })) as { ref: string };
    await vi.waitFor(async () =>
      expect((await gateway.message(ref))?.targets[0]).toMatchObject({
        state: 'held',
        attempts: 1,
        error: 'queue full',
      }),
    );
    await vi.waitFor(async () => expect((await gateway.message(ref))?.targets[0]?.state).toBe('confirmed'), {
      timeout: 5000,
    });
  });

  it('streams events from a position with credit and filters', async () => {
    const names = freshBrokers();
    const { gateway, log } = await startGateway(names, bridge);
    await vi.waitFor(() => expect(gateway.connections().every(({ state }) => state === 'up')).toBe(true));
    publishAll(names.left, numbered(5));
    await vi.waitFor(async () => expect((await log.stats()).events).toBe(5));
    const seen: string[] = [];
    const pattern = gateway.pattern('in/+', 'left');
    const subscription = gateway.subscribe({ connection: 'left', pattern }, 'earliest', {
      events: (batch) => seen.push(...batch.map(({ event }) => Buffer.from(event.body).toString())),
      gap: () => seen.push('gap'),
      failed: (error) => seen.push(error.message),
    });
    subscription.credit(2);
    await vi.waitFor(() => expect(seen).toEqual(['0', '1']));
    subscription.credit(10);
    await vi.waitFor(() => expect(seen).toEqual(numbered(5)));
    publishAll(names.left, ['5']);
    await vi.waitFor(() => expect(seen).toEqual(numbered(6)));
    subscription.close();
  });

  it('pages through history in both directions', async () => {
    const names = freshBrokers();
    const { gateway, log } = await startGateway(names, bridge);
    await vi.waitFor(() => expect(gateway.connections().every(({ state }) => state === 'up')).toBe(true));
    publishAll(names.left, numbered(5));
    await vi.waitFor(async () => expect((await log.stats()).events).toBe(5));
    const text = ({ events }: Awaited<ReturnType<typeof gateway.events>>): string[] =>
      events.map(({ event }) => Buffer.from(event.body).toString());
    const newest = await gateway.events({}, { back: true, limit: 2 });
    expect(text(newest)).toEqual(['4', '3']);
    expect(text(await gateway.events({}, { back: true, limit: 2, from: newest.next! }))).toEqual(['2', '1']);
    expect(text(await gateway.events({ connection: 'right' }, { limit: 2 }))).toEqual([]);
  });

  it('drains: what was accepted is delivered before it stops', async () => {
    const names = freshBrokers();
    const { gateway } = await startGateway(names, bridge);
    await vi.waitFor(() => expect(gateway.connections().every(({ state }) => state === 'up')).toBe(true));
    memoryBroker(names.right).setLatency(2);
    publishAll(names.left, numbered(100));
    await vi.waitFor(() => expect(gateway.head()).toBeDefined());
    await gateway.drain(AbortSignal.timeout(5000));
    const delivered = bodies(names.right, 'out/a');
    expect(delivered).toEqual(numbered(delivered.length));
    expect(gateway.state).toBe('stopped');
  });

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
    expect(await gateway.deadLetters.list({ limit: 10 })).toHaveLength(0);
  });

  it('tries all dead letters of a target again at a rate', async () => {
    const names = freshBrokers();
    const { gateway } = await startGateway(names, bridge);
    await vi.waitFor(() => expect(gateway.connections().every(({ state }) => state === 'up')).toBe(true));
    memoryBroker(names.right).refuseSends(5, () => new Rejected('not today'));
    publishAll(names.left, numbered(5));
    await vi.waitFor(async () => expect(await gateway.deadLetters.list({ limit: 10 })).toHaveLength(5));
    expect(await gateway.deadLetters.retryAll({ reason: 'rejected' }, 500)).toBe(5);
    await vi.waitFor(() => expect(bodies(names.right, 'out/a')).toEqual(numbered(5)));
    await vi.waitFor(async () => expect(await gateway.deadLetters.list({ limit: 10 })).toHaveLength(0));
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
});
