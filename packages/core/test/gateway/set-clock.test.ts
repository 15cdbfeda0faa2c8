import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir, uptime } from 'node:os';
import { join } from 'node:path';
import { memoryAdapter, memoryBroker } from '@magpie/adapter-memory';
import { openLog } from '@magpie/bus';
import { createAddressBook, nullLogger, systemClock } from '@magpie/contract';
import { type ConnectionInfo, compileRoutes } from '@magpie/routing';
import { expect, it, onTestFinished, vi } from 'vitest';
import { createGateway, nullObserver } from '../../src/index.ts';
import { bodies, bridge, freshBrokers, numbered, publishAll } from './gateway-fixture.ts';

vi.setConfig({ testTimeout: 60_000 });

const TEN_DAYS = 10 * 86_400_000;
const TEXTS = numbered(3);

interface Life {
  /** What the wall clock says beyond the truth, ms. */
  readonly ahead?: number;
  readonly boot?: string;
}

/** Two brokers and a data directory that outlive the gateways started on them. */
function house() {
  const dataDir = mkdtempSync(join(tmpdir(), 'magpie-clock-'));
  onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }));
  const names = freshBrokers();
  const start = async ({ ahead = 0, boot = 'one' }: Life = {}) => {
    const clock = { ...systemClock, now: () => Date.now() + ahead };
    const machine = { uptime: () => uptime() * 1000, boot: () => boot };
    const log = await openLog({ store: 'sqlite', dataDir, reserveBytes: 0, minFreeBytes: 0, clock, machine });
    const book = createAddressBook([memoryAdapter]);
    const connections = new Map(
      (['left', 'right'] as const).map((name): [string, ConnectionInfo] => [
        name,
        {
          name,
          adapter: memoryAdapter,
          config: memoryAdapter.connectionSchema.parse({ broker: names[name] }),
          subscribe: [],
        },
      ]),
    );
    const { routes } = compileRoutes({ routes: bridge, connections, gatewayId: 'test', book });
    const gateway = createGateway({
      ...{ id: 'test', version: '0', log, book, routes, connections, builtins: new Set<string>(), clock },
      ...{ maxBodyBytes: 1024, logger: nullLogger, observer: nullObserver },
      onFatal: (error) => {
        throw error;
      },
    });
    await gateway.start();
    await expect
      .poll(() => gateway.connections().find(({ name }) => name === 'left')?.state, { timeout: 20_000 })
      .toBe('up');
    const stop = async (): Promise<void> => {
      await gateway.drain(AbortSignal.timeout(500));
      await log.close();
    };
    return { gateway, log, stop };
  };
  return { names, start };
}

/** A gateway has stored messages for a target that it could not reach, and has ended. */
async function withBacklog() {
  const { names, start } = house();
  memoryBroker(names.right).stop();
  const { log, stop } = await start();
  publishAll(names.left, TEXTS);
  await expect.poll(async () => (await log.stats()).events, { timeout: 20_000 }).toBeGreaterThanOrEqual(TEXTS.length);
  await stop();
  memoryBroker(names.right).start();
  return { names, start };
}

it('a clock that was set forward by ten days over a restart makes no backlog too old', async () => {
  const { names, start } = await withBacklog();
  const { gateway, stop } = await start({ ahead: TEN_DAYS });
  await expect.poll(() => bodies(names.right, 'out/a'), { timeout: 20_000 }).toEqual(TEXTS);
  expect(await gateway.deadLetters.list({ limit: 10 })).toEqual([]);
  await stop();
});

it('ten days in which the machine was off do, by the maxAge of the route', async () => {
  const { names, start } = await withBacklog();
  const { gateway, stop } = await start({ ahead: TEN_DAYS, boot: 'two' });
  const reasons = async () => (await gateway.deadLetters.list({ limit: 10 })).map(({ reason }) => reason);
  await expect.poll(reasons, { timeout: 20_000 }).toEqual(TEXTS.map(() => 'age'));
  expect(bodies(names.right, 'out/a')).toEqual([]);
  await stop();
});
