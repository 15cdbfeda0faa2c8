import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { memoryBroker } from '@magpie/adapter-memory';
import { type Commit, createMemoryLog, type EventLog, openLog } from '@magpie/bus';
import { expect, it, onTestFinished, vi } from 'vitest';
import { DeliveryQueue } from '../../src/delivery/delivery-queue.ts';
import { bodies, freshBrokers, numbered, startGateway } from './gateway-fixture.ts';

const TARGETS = 10_000;
const EVENTS = 200;

const routes = Object.fromEntries(
  numbered(TARGETS).map((name) => [
    `route-${name}`,
    { from: { connection: 'left', channel: `in/${name}` }, to: { connection: 'right', channel: `out/${name}` } },
  ]),
);

async function sqliteLog(): Promise<EventLog> {
  const dataDir = mkdtempSync(join(tmpdir(), 'magpie-idle-'));
  const log = await openLog({ store: 'sqlite', dataDir, reserveBytes: 0, minFreeBytes: 0 });
  onTestFinished(async () => {
    await log.close();
    rmSync(dataDir, { recursive: true });
  });
  return log;
}

const STORES = { memory: async () => createMemoryLog({}), sqlite: sqliteLog };

it.each(Object.entries(STORES))(
  'ten thousand idle targets cost nothing per event and per commit (%s)',
  {
    timeout: 120_000,
  },
  async (_, open) => {
    const names = freshBrokers();
    const stored = await open();
    const commits: Commit[] = [];
    const log: EventLog = {
      ...stored,
      commit: (change) => {
        commits.push(change);
        return stored.commit(change);
      },
    };
    const { gateway } = await startGateway(names, routes, log);
    const isUp = (): boolean => gateway.connections().every(({ state }) => state === 'up');
    await expect.poll(isUp, { timeout: 60_000 }).toBe(true);
    commits.length = 0;
    const offered = vi.spyOn(DeliveryQueue.prototype, 'offer');
    onTestFinished(() => void vi.restoreAllMocks());
    for (const text of numbered(EVENTS)) {
      memoryBroker(names.left).publish('in/7', { body: Buffer.from(text) });
      if (Number(text) % 10 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await expect.poll(() => bodies(names.right, 'out/7'), { timeout: 60_000 }).toEqual(numbered(EVENTS));
    const matched = async (): Promise<boolean> => (await stored.state()).matched === stored.head();
    await expect.poll(matched, { timeout: 60_000 }).toBe(true);
    const busy = new Set(['route-7/right/channel:out/7']);
    expect(offered.mock.contexts.map((each) => (each as DeliveryQueue).consumer)).toEqual(
      Array.from({ length: EVENTS }, () => [...busy][0]),
    );
    const floors = commits.map(({ floors: changed = [] }) => changed.map(({ consumer }) => consumer));
    expect(floors.flat().length).toBeGreaterThan(0);
    expect(floors.every((consumers) => consumers.length <= 1)).toBe(true);
    expect(new Set(floors.flat())).toEqual(busy);
    expect((await stored.state()).floors.size).toBe(0);
  },
);
