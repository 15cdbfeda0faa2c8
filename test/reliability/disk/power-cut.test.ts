import { setTimeout as sleep } from 'node:timers/promises';
import { openPowerCutDisk, type PowerCutDisk, powerCutRefusal, type TcpProxy, useBrokers } from '@magpie/testkit';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { cutPower, cutPowerOfLiar } from '../kit/faults/power.ts';
import { revive } from '../kit/faults/revive.ts';
import { printedTable } from '../kit/measure/table.ts';
import { type LoadOptions, type Observed, underLoad } from '../kit/measure/trial.ts';
import { chunksOf, IMAGES, seededRandom } from '../kit/settings.ts';
import { LIMITS, openWorld, ready, type World } from '../kit/world.ts';

const refusal = await powerCutRefusal();
const random = seededRandom();
const table = printedTable();

/** Room for what the gateway keeps free before it takes anything, and for its reserve. */
const DISK_BYTES = 768 * 1024 * 1024;

/** As for a kill: the source repeats what was not acknowledged, the target sees again what was not yet remembered. */
const AGAIN_PER_CUT = LIMITS.receiveMaximum + LIMITS.targetWindow;

/** Each cut ends with the start of a gateway that has to work off what has gathered meanwhile, on a machine of any speed. */
const LOAD: LoadOptions = { pause: 100, resumeWithin: 20_000, settleWithin: 30_000 };

describe.skipIf(refusal !== undefined)(`a power cut under load${refusal === undefined ? '' : ` (${refusal})`}`, () => {
  const brokers = useBrokers({ mosquitto: { persistence: false }, rabbitmq: {} });
  let disk: PowerCutDisk;
  let world: World;
  beforeAll(async () => {
    disk = await openPowerCutDisk(DISK_BYTES);
    world = await openWorld(brokers, ['MQTT → AMQP', 'AMQP → MQTT', 'HTTP → AMQP'], { dataDir: `${disk.path}/data` });
  });
  afterAll(async () => {
    await world.close();
    await disk.remove();
  });

  /**
   * While the line to a target is held, what comes in for it is nowhere but in the log. With every line open the log would
   * hold a few messages only, and a cut could hardly lose one.
   */
  /** Holds a line meanwhile; `work` should reset it in the end: what is on the line must not make up for what the disk lost. */
  const whileHeld = async (
    line: TcpProxy | undefined,
    work: (line: TcpProxy | undefined) => Promise<void>,
  ): Promise<void> => {
    line?.blackHole(true);
    try {
      await sleep(random.between(50, 900));
      await work(line);
    } finally {
      line?.blackHole(false);
    }
  };

  beforeEach(() => revive(world));

  const chunks = chunksOf(25, IMAGES);
  it.each(chunks)(
    'loses nothing over cuts $first to $last, and repeats no more than its windows',
    async ({ first, last, count }) => {
      const cuts = async (): Promise<Observed> => {
        const lines = [world.proxies.erp, undefined, world.proxies.floor];
        for (let cut = first; cut <= last; cut++)
          await whileHeld(lines[cut % lines.length], async (line) => {
            await cutPower(world, disk);
            line?.reset();
          });
        return {};
      };
      const rows = await underLoad(world, 'power cut', cuts, LOAD);
      table.push(...rows.map((row) => ({ ...row, times: count, counts: 'images' as const })));
      for (const row of rows) {
        expect(row).toMatchObject({ lost: 0, disordered: 0 });
        expect(row.duplicates).toBeLessThanOrEqual(count * AGAIN_PER_CUT);
      }
    },
  );

  it('finds the loss on a disk that did not keep what it confirmed', async () => {
    const lie = async (): Promise<Observed> => {
      await ready(world);
      await whileHeld(world.proxies.erp, async (line) => {
        await cutPowerOfLiar(world, disk, 500);
        line?.reset();
      });
      return {};
    };
    const rows = await underLoad(world, 'disk that lies', lie, { ...LOAD, settleWithin: 3000 });
    table.push(...rows.map((row) => ({ ...row, control: true as const })));
    // Which path had more in its log just then is chance.
    expect(rows.reduce((sum, { lost }) => sum + lost, 0)).toBeGreaterThan(10);
  });
});
