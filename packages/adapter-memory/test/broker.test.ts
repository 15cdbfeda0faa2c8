import { memoryAdapter, memoryBroker } from '@magpie/adapter-memory';
import {
  type AdapterContext,
  type Connection,
  type MagpieError,
  newRef,
  nullLogger,
  type OutgoingEvent,
  type ReceivedEvent,
  systemClock,
  Throttled,
  Transient,
} from '@magpie/contract';
import { memoryStore } from '@magpie/testkit';
import { afterEach, describe, expect, it, vi } from 'vitest';

const broker = memoryBroker('handle');
const { signal } = new AbortController();
const lost: MagpieError[] = [];

afterEach(() => {
  broker.reset();
  lost.length = 0;
});

describe('the handle of an in-memory broker', () => {
  it('is the same for the same name and another for another name', () => {
    expect(memoryBroker('handle')).toBe(broker);
    expect(memoryBroker('other')).not.toBe(broker);
    expect(memoryBroker()).toBe(memoryBroker('default'));
  });

  it('lets two connections of a gateway meet', async () => {
    const got: ReceivedEvent[] = [];
    const [floor, chat] = [connection('floor'), connection('chat')];
    await Promise.all([floor.connect(signal), chat.connect(signal)]);
    await receive(chat, 'plant/+/alarm', got);
    await send(floor, 'plant/p7/alarm', { body: Buffer.from('hot'), correlationId: 'c1' });
    await vi.waitFor(() => expect(got).toHaveLength(1));
    expect(got[0]).toMatchObject({ correlationId: 'c1', origin: { channel: 'plant/p7/alarm', sender: 'gw/floor' } });
  });

  it('shows what was published and calls listeners of matching channels until they stop', () => {
    const heard: string[] = [];
    const stop = broker.subscribe('a/#', ({ channel }) => heard.push(channel));
    broker.publish('a/b', { body: Buffer.from('1') });
    broker.publish('b', { body: Buffer.from('2') });
    stop();
    broker.publish('a/c');
    expect(heard).toEqual(['a/b']);
    expect(broker.seen.map(({ channel }) => channel)).toEqual(['a/b', 'b', 'a/c']);
  });

  it('refuses as many sends as asked for, each with the given error', async () => {
    const link = connection('sender');
    await link.connect(signal);
    broker.refuseSends(2, () => new Throttled('slow down', 500));
    broker.refuseSends(1, () => new Transient('queue full'));
    await expect(send(link, 'x')).rejects.toMatchObject({ name: 'Throttled', retryAfter: 500 });
    await expect(send(link, 'x')).rejects.toMatchObject({ name: 'Throttled' });
    await expect(send(link, 'x')).rejects.toMatchObject({ name: 'Transient' });
    await expect(send(link, 'x')).resolves.toEqual({ confirmedBy: 'broker' });
    expect(broker.seen).toHaveLength(1);
  });

  it('holds confirmations of messages it has taken in', async () => {
    const link = connection('sender');
    await link.connect(signal);
    broker.holdConfirmations();
    let confirmed = false;
    const sending = send(link, 'x').then(() => {
      confirmed = true;
    });
    await vi.waitFor(() => expect(broker.seen).toHaveLength(1));
    expect(confirmed).toBe(false);
    broker.releaseConfirmations();
    await sending;
  });

  it('says Unknown for a message taken in whose confirmation the cut link swallowed', async () => {
    const link = connection('sender');
    await link.connect(signal);
    broker.holdConfirmations();
    const refused = expect(send(link, 'x')).rejects.toMatchObject({ name: 'Unknown' });
    await vi.waitFor(() => expect(broker.seen).toHaveLength(1));
    broker.disconnectAll();
    await refused;
    expect(lost.map(({ name }) => name)).toEqual(['NotConnected']);
  });

  it('delays both ways by its latency', async () => {
    const link = connection('sender');
    await link.connect(signal);
    broker.setLatency(30);
    const started = performance.now();
    await link.probe(signal);
    expect(performance.now() - started).toBeGreaterThanOrEqual(55);
  });

  it('gives a new subscriber the last retained message of a channel, until an empty one clears it', async () => {
    broker.publish('state', { body: Buffer.from('old'), retain: true });
    broker.publish('state', { body: Buffer.from('new'), retain: true });
    const got: ReceivedEvent[] = [];
    const first = connection('first');
    await first.connect(signal);
    await receive(first, 'state', got);
    await vi.waitFor(() => expect(got).toHaveLength(1));
    expect(got[0]).toMatchObject({ retain: true, body: Buffer.from('new') });

    broker.publish('state', { retain: true });
    const second = connection('second');
    await second.connect(signal);
    const later: ReceivedEvent[] = [];
    await receive(second, 'state', later);
    broker.publish('state', { body: Buffer.from('live') });
    await vi.waitFor(() => expect(later).toHaveLength(1));
    expect(later[0]).not.toHaveProperty('retain');
  });

  it('takes the identity from a client when another connects with it', async () => {
    const [first, second] = [connection('twin'), connection('twin')];
    await first.connect(signal);
    await second.connect(signal);
    expect(lost.map(({ name }) => name)).toEqual(['Conflict']);
    await expect(first.probe(signal)).rejects.toMatchObject({ name: 'NotConnected' });
    await second.probe(signal);
  });

  it('refuses a message that a full session could not keep', async () => {
    const link = connection('away');
    await link.connect(signal);
    await receive(link, 'x', []);
    await link.close(signal);
    for (let count = 0; count < 100_000; count++) broker.publish('x');
    expect(() => broker.publish('x')).toThrow(Transient);
    broker.publish('y');
  });

  it('forgets everything on reset', async () => {
    const link = connection('client');
    await link.connect(signal);
    broker.publish('x', { retain: true, body: Buffer.from('kept') });
    broker.refuseSends(1, () => new Transient('no'));
    broker.silence();
    broker.stop();
    broker.reset();
    expect(lost).toHaveLength(1);
    expect(broker.seen).toEqual([]);
    await link.connect(signal);
    const got: ReceivedEvent[] = [];
    await receive(link, '#', got);
    await send(link, 'x');
    await vi.waitFor(() => expect(got).toHaveLength(1));
  });
});

function connection(name: string): Connection {
  const context: AdapterContext = {
    name,
    gatewayId: 'gw',
    logger: nullLogger,
    clock: systemClock,
    store: memoryStore(),
    lost: (error) => lost.push(error),
    detail: () => undefined,
    count: () => undefined,
  };
  const limits = { fifoWindow: 64, window: 256, maxBodyBytes: 1024 };
  return memoryAdapter.create({ broker: 'handle', metadata: true, ...limits }, context);
}

/** Receives from a filter into a list. */
async function receive(link: Connection, channel: string, into: ReceivedEvent[]): Promise<void> {
  const segments = channel.split('/').map((value) => {
    if (value === '+') return { type: 'one' } as const;
    return value === '#' ? ({ type: 'many' } as const) : ({ type: 'literal', value } as const);
  });
  await link.receive([{ pattern: { scheme: 'channel', segments }, options: { channel } }], async (batch) => {
    into.push(...batch);
    return batch.map(() => ({ type: 'stored' }));
  });
}

function send(link: Connection, channel: string, parts: Partial<OutgoingEvent> = {}): Promise<unknown> {
  const [ref, delivery] = [newRef(), newRef()];
  const plain = {
    id: ref,
    ref,
    delivery,
    body: Buffer.from('body'),
    headers: [],
    via: [],
    time: 0,
    redelivered: false,
  };
  const target = { address: { scheme: 'channel', segments: channel.split('/') }, options: { channel } };
  return link.send({ ...plain, ...parts }, target, signal);
}
