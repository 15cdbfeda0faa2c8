import { setTimeout as sleep } from 'node:timers/promises';
import { useBrokers } from '@magpie/testkit';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { runCli } from '../../support/gateway-process.ts';
import { revive } from '../kit/faults/revive.ts';
import { printedTable } from '../kit/measure/table.ts';
import { type Observed, OFTEN_AWAY, underLoad } from '../kit/measure/trial.ts';
import { chunksOf, KILLS, seededRandom, times } from '../kit/settings.ts';
import { LIMITS, openWorld, ready, type World } from '../kit/world.ts';

const random = seededRandom();
const STOPS = times(2, 100);
const table = printedTable();

/**
 * What one kill may repeat: what was received and not acknowledged comes from the source again, and what was sent but
 * whose confirmation was not yet remembered is sent again. The second is at most the window of the target's link.
 */
const AGAIN_PER_KILL = LIMITS.receiveMaximum + LIMITS.targetWindow;

describe('a gateway that ends under load', () => {
  const brokers = useBrokers({ mosquitto: { persistence: false }, rabbitmq: {} });
  let world: World;
  beforeAll(async () => {
    world = await openWorld(brokers, ['MQTT → AMQP', 'AMQP → MQTT', 'HTTP → AMQP']);
  });
  afterAll(() => world.close());

  beforeEach(() => revive(world));

  const chunks = chunksOf(100, KILLS);
  it.each(chunks)(
    'loses nothing over kills $first to $last with -9, and repeats no more than its windows',
    async ({ count }) => {
      const kills = async (): Promise<Observed> => {
        for (let kill = 0; kill < count; kill++) {
          await world.gateway.kill();
          await world.restart({ ready: false });
          // Half of them while it starts, half while it has everything in its hands.
          if (random.between(0, 1) === 1) await ready(world);
          await sleep(random.between(50, 1000));
        }
        return {};
      };
      const rows = await underLoad(world, 'gateway killed with -9', kills, OFTEN_AWAY);
      table.push(...rows.map((row) => ({ ...row, times: count, counts: 'kills' as const })));
      for (const row of rows) {
        expect(row).toMatchObject({ lost: 0, disordered: 0 });
        expect(row.duplicates).toBeLessThanOrEqual(count * AGAIN_PER_KILL);
      }
    },
  );

  it(`exits within 10 s on SIGTERM, ${STOPS} times, and neither loses nor repeats anything`, async () => {
    const stops = async (): Promise<Observed> => {
      for (let stop = 0; stop < STOPS; stop++) {
        await ready(world);
        await sleep(random.between(200, 800));
        const started = performance.now();
        expect(await world.gateway.terminate()).toBe(0);
        expect(performance.now() - started).toBeLessThan(10_000);
        await world.restart({ ready: false });
      }
      return {};
    };
    const rows = await underLoad(world, 'gateway ended with SIGTERM', stops, OFTEN_AWAY);
    table.push(...rows.map((row) => ({ ...row, times: STOPS })));
    for (const row of rows) expect(row).toMatchObject({ lost: 0, disordered: 0, duplicates: 0 });
  });

  it('keeps a second gateway out of its data directory, with a sentence', async () => {
    const { code, stdout, stderr } = await runCli('run', '-c', world.home.file);
    expect(code).not.toBe(0);
    expect(stdout + stderr).toMatch(/another .*process|in use|already/i);
    const sentences = (stdout + stderr)
      .trim()
      .split('\n')
      .filter((line) => /another .*process|in use|already/i.test(line));
    expect(sentences).toHaveLength(1);
    expect(stdout + stderr).not.toMatch(/\n\s+at /);
  });
});
