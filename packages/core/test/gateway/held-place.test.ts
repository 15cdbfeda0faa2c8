import { type MemoryConfig, memoryAdapter, memoryBroker } from '@magpie/adapter-memory';
import { createMemoryLog } from '@magpie/bus';
import type { AdapterDefinition, AnyAdapter, Connection, ReceivedEvent, Verdict } from '@magpie/contract';
import { expect, it } from 'vitest';
import { bodies, freshBrokers, numbered, startGateway } from './gateway-fixture.ts';

const channelOf = ({ address }: ReceivedEvent): string => address.segments.join('/');

/** The in-memory protocol with a window for each channel, so that one of them can wait alone. */
const perChannel: AnyAdapter = {
  ...(memoryAdapter as AdapterDefinition<MemoryConfig>),
  capabilities: (config: MemoryConfig) => ({ ...memoryAdapter.capabilities(config), holdsPerPlace: true }),
  placeOf: (source: unknown) => String(Object(source).channel),
  create: (config: MemoryConfig, context): Connection => {
    const sound = memoryAdapter.create(config, context);
    return {
      ...sound,
      receive: (sources, sink) =>
        sound.receive(sources, async (batch) => {
          const verdicts = new Map<ReceivedEvent, Verdict>();
          const store = async ([channel, events]: [string, ReceivedEvent[]]): Promise<void> => {
            const given = await sink(events, channel);
            for (const [index, event] of events.entries()) verdicts.set(event, given[index]!);
          };
          await Promise.all([...Map.groupBy(batch, channelOf)].map(store));
          return batch.map((event) => verdicts.get(event)!);
        }),
    };
  },
};

it('a full target holds the place that feeds it, and another place of the same connection goes on', async () => {
  const names = freshBrokers();
  const routes = {
    dead: {
      from: { connection: 'left', channel: 'values' },
      to: { connection: 'right', channel: 'out/values', backlog: { bytes: '1KiB' } },
    },
    alive: { from: { connection: 'left', channel: 'alarms' }, to: { connection: 'left', channel: 'out/alarms' } },
  };
  const keys = { window: 1000 };
  const { gateway } = await startGateway(names, routes, createMemoryLog({}), keys, perChannel);
  await expect.poll(() => gateway.connections().every(({ state }) => state === 'up')).toBe(true);
  const [left, right] = [memoryBroker(names.left), memoryBroker(names.right)];
  right.holdConfirmations();
  const values = numbered(60).map((text) => text.padStart(100, ' '));
  for (const text of values) {
    left.publish('values', { body: Buffer.from(text) });
    await new Promise((resolve) => setImmediate(resolve));
  }
  await expect.poll(() => gateway.holds(), { timeout: 2000 }).toHaveLength(1);
  expect(gateway.holds()[0]).toContain('left waits with what it has from "values"');
  const alarms = numbered(20);
  for (const text of alarms) left.publish('alarms', { body: Buffer.from(text) });
  await expect.poll(() => bodies(names.left, 'out/'), { timeout: 2000 }).toEqual(alarms);
  expect(gateway.holds(), 'the other still waits').toHaveLength(1);
  right.releaseConfirmations();
  await expect.poll(() => bodies(names.right, 'out/').length, { timeout: 5000 }).toBe(values.length);
  expect(bodies(names.right, 'out/')).toEqual(values);
});

it('a route that bounds what it takes makes dead letters of a flood, and what shares its connection goes on', async () => {
  const names = freshBrokers();
  const routes = {
    values: {
      from: { connection: 'left', channel: 'values' },
      to: { connection: 'right', channel: 'out/values', backlog: { bytes: '1KiB', onFull: 'dead-letter' } },
    },
    alarms: { from: { connection: 'left', channel: 'alarms' }, to: { connection: 'left', channel: 'out/alarms' } },
  };
  const { gateway, log } = await startGateway(names, routes);
  await expect.poll(() => gateway.connections().every(({ state }) => state === 'up')).toBe(true);
  const [left, right] = [memoryBroker(names.left), memoryBroker(names.right)];
  right.holdConfirmations();
  for (const text of numbered(300)) left.publish('values', { body: Buffer.from(text.padStart(100, ' ')) });
  const alarms = numbered(20);
  for (const text of alarms) left.publish('alarms', { body: Buffer.from(text) });
  await expect.poll(() => bodies(names.left, 'out/'), { timeout: 2000 }).toEqual(alarms);
  expect(gateway.holds()).toEqual([]);
  await expect.poll(async () => (await log.deadLetters({ limit: 500 })).length, { timeout: 2000 }).toBeGreaterThan(250);
  right.releaseConfirmations();
  const letters = await log.deadLetters({ limit: 500 });
  expect(new Set(letters.map(({ reason }) => reason))).toEqual(new Set(['backlog']));
  await expect.poll(() => bodies(names.right, 'out/').length, { timeout: 2000 }).toBe(300 - letters.length);
});

it('a full target refuses what a sender has for it, and takes everything else, where each message is answered by itself', async () => {
  const names = freshBrokers();
  const perMessage: AnyAdapter = {
    ...(memoryAdapter as AdapterDefinition<MemoryConfig>),
    capabilities: (config: MemoryConfig) => ({ ...memoryAdapter.capabilities(config), holdsPerMessage: true }),
  };
  const routes = {
    dead: {
      from: { connection: 'left', channel: 'values/{device}' },
      to: { connection: 'right', channel: 'out/values', backlog: { bytes: '1KiB' } },
    },
  };
  const { gateway } = await startGateway(names, routes, createMemoryLog({}), {}, perMessage);
  await expect.poll(() => gateway.connections().every(({ state }) => state === 'up')).toBe(true);
  const right = memoryBroker(names.right);
  right.holdConfirmations();
  const message = (...segments: string[]): ReceivedEvent => ({
    ...{ address: { scheme: 'channel', segments }, kind: 'message', body: Buffer.alloc(100, 'x') },
    ...{ headers: [], via: [], origin: {} },
  });
  const publish = async (...events: ReceivedEvent[]): Promise<string[]> =>
    (await gateway.publish('left', events)).map(({ type }) => type);
  await expect.poll(async () => publish(message('values', 'pump')), { timeout: 2000 }).toEqual(['unavailable']);
  expect(await publish(message('values', 'fan'), message('alarms', 'pump'), message('values', 'pump'))).toEqual([
    ...['unavailable', 'stored', 'unavailable'],
  ]);
  right.releaseConfirmations();
  await expect.poll(() => publish(message('values', 'pump')), { timeout: 5000 }).toEqual(['stored']);
});
