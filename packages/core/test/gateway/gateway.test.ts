import { memoryBroker } from '@magpie/adapter-memory';
import { createMemoryLog, originOf } from '@magpie/bus';
import { newRef, Transient, timeOfRef } from '@magpie/contract';
import { describe, expect, it, vi } from 'vitest';
import { bodies, bridge, freshBrokers, numbered, publishAll, startGateway } from './gateway-fixture.ts';

describe('a gateway', () => {
  it('carries messages from one broker to another in order', async () => {
    const names = freshBrokers();
    const { gateway } = await startGateway(names, bridge);
    await vi.waitFor(() => expect(gateway.connections().every(({ state }) => state === 'up')).toBe(true));
    publishAll(names.left, numbered(300));
    await vi.waitFor(() => expect(bodies(names.right, 'out/a')).toEqual(numbered(300)));
  });

  it('gives a message without a time of its own the time of its ref and receipt', async () => {
    const names = freshBrokers();
    const { gateway, log } = await startGateway(names, bridge);
    await vi.waitFor(() => expect(gateway.connections().every(({ state }) => state === 'up')).toBe(true));
    publishAll(names.left, numbered(3));
    await vi.waitFor(async () => expect((await log.stats()).events).toBe(3));
    for (const { event } of await log.read(undefined, 3)) {
      expect(event.time).toBe(event.receivedAt);
      expect(timeOfRef(event.ref)).toBe(event.time);
    }
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
        failures: [{ at: expect.any(Number), error: 'Transient', message: 'queue full' }],
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

  it('lets a cycle over links without metadata go round once, when the routes accept it', async () => {
    const names = freshBrokers();
    const route = (from: string, to: string) => ({
      from: { connection: from, channel: 'chat' },
      to: { connection: to, channel: 'chat' },
      allowEcho: true,
    });
    const both = { there: route('left', 'right'), back: route('right', 'left') };
    const { gateway } = await startGateway(names, both, createMemoryLog({}), { metadata: false });
    await vi.waitFor(() => expect(gateway.connections().every(({ state }) => state === 'up')).toBe(true));
    memoryBroker(names.left).publish('chat', { body: Buffer.from('hello') });
    await vi.waitFor(() => expect(bodies(names.right, 'chat')).toEqual(['hello']));
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect([bodies(names.left, 'chat'), bodies(names.right, 'chat')]).toEqual([['hello'], ['hello']]);
    memoryBroker(names.right).publish('chat', { body: Buffer.from('hello') });
    await vi.waitFor(() => expect(bodies(names.left, 'chat')).toEqual(['hello', 'hello']));
  });

  it('keeps an own message that came back away from a target that lags, too', async () => {
    const names = freshBrokers();
    const routes = {
      out: { from: { connection: 'right', channel: 'command' }, to: { connection: 'left', channel: 'chat' } },
      back: {
        from: { connection: 'left', channel: 'chat' },
        to: { connection: 'right', channel: 'chat' },
        allowEcho: true,
      },
    };
    const { gateway } = await startGateway(names, routes, createMemoryLog({}), { metadata: false });
    await vi.waitFor(() => expect(gateway.connections().every(({ state }) => state === 'up')).toBe(true));
    memoryBroker(names.right).holdConfirmations();
    for (const text of numbered(1300)) memoryBroker(names.left).publish('chat', { body: Buffer.from(text) });
    await vi.waitFor(() => expect(gateway.targets().some(({ lagging }) => lagging)).toBe(true));
    memoryBroker(names.right).publish('command', { body: Buffer.from('own') });
    await vi.waitFor(() => expect(bodies(names.left, 'chat')).toContain('own'));
    memoryBroker(names.left).publish('chat', { body: Buffer.from('last') });
    memoryBroker(names.right).releaseConfirmations();
    await vi.waitFor(() => expect(bodies(names.right, 'chat').at(-1)).toBe('last'), { timeout: 10_000 });
    expect(bodies(names.right, 'chat')).toEqual([...numbered(1300), 'last']);
  });

  it('gives a new target its events though the process was killed before its registration', async () => {
    const names = freshBrokers();
    const log = createMemoryLog({});
    const received = { receivedAt: Date.now(), time: Date.now(), headers: [], via: [], origin: {} };
    const address = { scheme: 'channel', segments: ['in', 'a'] };
    const event = { ...received, address, ref: newRef(), source: 'left', kind: 'message' as const, key: 'a' };
    const [stored] = await log.commit({ append: [{ event: { ...event, body: Buffer.from('acknowledged') } }] });
    const { position } = stored!;
    const consumer = 'bridge/right/channel:out/${name}';
    await log.commit({ matched: position, floors: [{ consumer, floor: originOf(position) }] });
    await startGateway(names, bridge, log);
    await vi.waitFor(() => expect(bodies(names.right, 'out/a')).toEqual(['acknowledged']), { timeout: 5000 });
  });
});
