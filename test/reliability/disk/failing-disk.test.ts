import { setTimeout as sleep } from 'node:timers/promises';
import { useBrokers } from '@magpie/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { publishOnce } from '../kit/clients/api.ts';
import { tamperRefusal, tamperWithSyncs } from '../kit/faults/syncs.ts';
import type { Flow } from '../kit/measure/flow.ts';
import { attempts } from '../kit/measure/probe.ts';
import { printedTable } from '../kit/measure/table.ts';
import { type LoadOptions, type Observed, underLoad } from '../kit/measure/trial.ts';
import { seededRandom, times } from '../kit/settings.ts';
import { LIMITS, openWorld, ready, type World } from '../kit/world.ts';

const refusal = await tamperRefusal();
const random = seededRandom();
const table = printedTable();
const FAILURES = times(3, 200);

/** As for a kill: the source repeats what was not acknowledged, the target sees again what was not yet remembered. */
const AGAIN_PER_FAILURE = LIMITS.receiveMaximum + LIMITS.targetWindow;

const SLOW_MS = 200;
const STALL_MS = 2 * LIMITS.keepaliveMs + 1000;

/** What has gathered meanwhile has to be worked off first, on a machine of any speed. */
const LOAD: LoadOptions = { pause: 100, resumeWithin: 20_000, settleWithin: 30_000 };

describe.skipIf(refusal !== undefined)(`a disk that fails${refusal === undefined ? '' : ` (${refusal})`}`, () => {
  const brokers = useBrokers({ mosquitto: { persistence: false }, rabbitmq: {} });
  let world: World;
  beforeAll(async () => {
    world = await openWorld(brokers, ['MQTT → AMQP', 'AMQP → MQTT', 'HTTP → AMQP']);
  });
  afterAll(() => world.close());

  /** The gateway's next fsync fails, and every later one: it must not try again and must not go on. */
  const failSyncs = async (): Promise<void> => {
    const { gateway } = world;
    const tampered = await tamperWithSyncs(gateway.pid, 'error=EIO');
    expect(await gateway.ended).toBe(70);
    await tampered.restore();
    expect(errorsIn(gateway.logs())).toEqual([
      expect.stringMatching(/^stopping: the event log in \S+ has failed: disk I\/O error/),
    ]);
  };

  it(`ends the gateway with a sentence and code 70 at the first failed fsync, ${FAILURES} times; nothing is lost`, async () => {
    const failures = async (): Promise<Observed> => {
      for (let failure = 0; failure < FAILURES; failure++) {
        await sleep(random.between(0, 500));
        await failSyncs();
        await world.restart({ ready: false });
      }
      return {};
    };
    const rows = await underLoad(world, 'fsync fails', failures, LOAD);
    table.push(...rows.map((row) => ({ ...row, times: FAILURES })));
    for (const row of rows) {
      expect(row).toMatchObject({ lost: 0, disordered: 0 });
      expect(row.duplicates).toBeLessThanOrEqual(FAILURES * AGAIN_PER_FAILURE);
    }
  });

  const publishTimes = async (count: number): Promise<number[]> => {
    const took: number[] = [];
    for (let message = 0; message < count; message++) took.push((await publishOnce(world, 'nowhere')).took);
    return took;
  };

  const cases = [
    {
      name: `every fsync takes ${SLOW_MS} ms`,
      how: `delay_enter=${SLOW_MS}ms`,
      least: SLOW_MS,
      messages: 8,
      meanwhile: 20,
    },
    {
      name: `one fsync takes ${STALL_MS} ms`,
      how: `delay_enter=${STALL_MS}ms:when=1`,
      least: STALL_MS / 2,
      messages: 1,
      meanwhile: 0,
    },
  ];
  it.each(cases)('acknowledges nothing early, keeps every link and loses nothing while $name', async (slowness) => {
    await ready(world);
    const before = await attempts(world);
    let took: readonly number[] = [];
    const slow = async (flows: readonly Flow[]): Promise<Observed> => {
      const tampered = await tamperWithSyncs(world.gateway.pid, slowness.how);
      const flowing = Promise.all(flows.map((flow) => flow.arrived(slowness.meanwhile, 10_000)));
      took = await publishTimes(slowness.messages);
      await flowing;
      await tampered.restore();
      return {};
    };
    const rows = await underLoad(world, slowness.name, slow, LOAD);
    table.push(...rows.map((row) => ({ ...row, note: `202 after ${Math.round(Math.max(...took))} ms` })));
    for (const row of rows) expect(row).toMatchObject({ lost: 0, disordered: 0 });
    expect(await attempts(world)).toEqual(before);
    expect(Math.min(...took)).toBeGreaterThan(slowness.least);
  });
});

/** What a gateway has logged as an error. */
const errorsIn = (logs: string): readonly string[] =>
  logs
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line): { level?: string; msg?: string } => JSON.parse(line))
    .filter(({ level }) => level === 'error' || level === 'fatal')
    .map(({ msg = '' }) => msg);
