import { useBrokers } from '@magpie/testkit';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { killed } from '../kit/faults/faults.ts';
import { deadLetters } from '../kit/measure/probe.ts';
import { printedTable } from '../kit/measure/table.ts';
import { trial } from '../kit/measure/trial.ts';
import { times } from '../kit/settings.ts';
import { openWorld, type World } from '../kit/world.ts';

const table = printedTable();
const AWAY_MS = times(10_000, 600_000);
/** Between two messages of a key: 5,000 messages come in meanwhile in the short form, 100,000 in the long one. */
const PAUSE_MS = times(20, 60);
const TIMEOUT_MS = times(120_000, 1_200_000);

const brokers = useBrokers({ mosquitto: { persistence: false }, rabbitmq: {} });
let world: World;
beforeAll(async () => {
  world = await openWorld(brokers, ['MQTT → AMQP', 'HTTP → MQTT']);
});
afterAll(() => world.close());

it(
  'an outage of minutes makes no dead letters: everything arrives in order once the broker is back',
  async () => {
    const rows = await trial(world, killed(brokers.rabbitmq, 'erp', AWAY_MS), {
      pause: PAUSE_MS,
      // What waited goes first, in order.
      resumeWithin: times(15_000, 60_000),
      settleWithin: times(20_000, 120_000),
      meanwhile: AWAY_MS / PAUSE_MS / 5,
    });
    table.push(...rows);
    for (const row of rows) expect(row).toMatchObject({ lost: 0, disordered: 0 });
    expect(await deadLetters(world)).toBe(0);
  },
  TIMEOUT_MS,
);
