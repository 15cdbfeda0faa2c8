import { openPowerCutDisk, type PowerCutDisk, powerCutRefusal, useBrokers, waitFor } from '@magpie/testkit';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { commitsAtRest, dropDeadLetters, holds, keptDeadLetters, publishOnce } from '../kit/clients/api.ts';
import { type FreeDisk, fillDisk, keepDiskFull } from '../kit/faults/ballast.ts';
import { revive } from '../kit/faults/revive.ts';
import type { Flow } from '../kit/measure/flow.ts';
import { printedTable } from '../kit/measure/table.ts';
import { type LoadOptions, type Observed, underLoad } from '../kit/measure/trial.ts';
import { times } from '../kit/settings.ts';
import { openWorld, type World } from '../kit/world.ts';

const refusal = await powerCutRefusal();
const table = printedTable();

/** Room for what the gateway keeps free before it takes anything, for its reserve, and for some messages. */
const DISK_BYTES = 512 * 1024 * 1024;

/** Messages that are too old when their target is back. */
const DOOMED = 20;
const doomed = {
  from: { connection: 'http', topic: 'doomed' },
  to: { connection: 'erp', queue: 'from-http' },
  retry: { maxAge: '500ms' },
};

/** What has gathered meanwhile has to be worked off first, on a machine of any speed. */
const LOAD: LoadOptions = { pause: 100, resumeWithin: 20_000, settleWithin: 30_000 };

describe.skipIf(refusal !== undefined)(`a full disk${refusal === undefined ? '' : ` (${refusal})`}`, () => {
  const brokers = useBrokers({ mosquitto: { persistence: false }, rabbitmq: {} });
  let disk: PowerCutDisk;
  let world: World;
  beforeAll(async () => {
    disk = await openPowerCutDisk(DISK_BYTES);
    const options = { dataDir: `${disk.path}/data`, routes: { doomed } };
    world = await openWorld(brokers, ['MQTT → AMQP', 'AMQP → MQTT', 'HTTP → AMQP'], options);
  });
  afterAll(async () => {
    await world.close();
    await disk.remove();
  });

  /** The target is away until the log holds a backlog for it, and some of it can only become dead letters. */
  const gatherBacklog = async (http: Flow): Promise<void> => {
    await world.proxies.erp!.refuse(true);
    world.proxies.erp!.reset();
    for (let message = 0; message < DOOMED; message++) await publishOnce(world, 'doomed');
    await waitFor(() => http.ledger.missing() >= 100, { what: 'a backlog', timeout: 10_000 });
  };

  const expectRefusal = async (): Promise<void> => {
    const refused = async () => {
      const answer = await publishOnce(world, 'to-amqp/nobody');
      return answer.status === 202 ? undefined : answer;
    };
    const answer = await waitFor(refused, { what: 'a refused message', timeout: 5000 });
    expect(answer).toMatchObject({ status: 507, contentType: expect.stringContaining('application/problem+json') });
    expect(Number(answer.retryAfter)).toBeGreaterThan(0);
    expect(answer.detail).toContain(disk.path);
    expect(await holds(world)).toEqual([expect.stringContaining(disk.path)]);
  };

  const allLetters = async (): Promise<boolean> => (await keptDeadLetters(world)) === DOOMED;

  /** What is in the log is delivered, and remembered as delivered: the gateway starts on the full disk and repeats none of it. */
  const deliverAndStartAgain = async (http: Flow): Promise<void> => {
    await waitFor(allLetters, { what: 'the dead letters', timeout: 5000 });
    await commitsAtRest(world);
    const { duplicates } = http.ledger.report();
    await world.gateway.kill();
    await world.restart();
    await expectRefusal();
    expect(await allLetters()).toBe(true);
    expect(http.ledger.report().duplicates).toBe(duplicates);
  };

  /** Fills the disk under load while a backlog waits for its target, and lets it be delivered. */
  const underLoadOnFullDisk = (
    name: string,
    fill: () => Promise<FreeDisk>,
    meanwhile: (http: Flow) => Promise<void>,
  ) => {
    const disturb = async (flows: readonly Flow[]): Promise<Observed> => {
      const http = flows.find(({ path }) => path.source === 'http')!;
      await gatherBacklog(http);
      const freeDisk = await fill();
      try {
        await expectRefusal();
        await world.proxies.erp!.refuse(false);
        await waitFor(() => http.ledger.missing() === 0, { what: 'the backlog to arrive', timeout: 10_000 });
        await meanwhile(http);
      } finally {
        await freeDisk();
      }
      return {};
    };
    return underLoad(world, name, disturb, LOAD);
  };

  beforeEach(async () => {
    await world.proxies.erp!.refuse(false);
    await revive(world);
    await dropDeadLetters(world);
  });

  const rounds = Array.from({ length: times(1, 50) }, (_, round) => round + 1);

  it.each(rounds)('takes nothing in, delivers what it has, and goes on when there is room (%i)', async () => {
    const fill = (): Promise<FreeDisk> => fillDisk(disk.path);
    const rows = await underLoadOnFullDisk('full disk', fill, deliverAndStartAgain);
    table.push(...rows);
    for (const row of rows) expect(row).toMatchObject({ lost: 0, disordered: 0 });
  });

  it.each(rounds)(
    'lives on when another program takes even the reserve, and records what it did later (%i)',
    async () => {
      const { pid } = world.gateway;
      const fill = (): Promise<FreeDisk> => keepDiskFull(disk.path);
      const rows = await underLoadOnFullDisk('full disk, no reserve', fill, async () => undefined);
      table.push(...rows);
      for (const row of rows) expect(row).toMatchObject({ lost: 0, disordered: 0 });
      expect(await allLetters()).toBe(true);
      process.kill(pid, 0); // throws when that process is gone
    },
  );
});
