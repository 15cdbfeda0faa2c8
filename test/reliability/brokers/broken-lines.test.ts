import { useBrokers } from '@magpie/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ConnectionName, PROSODY } from '../kit/clients/paths.ts';
import { resets } from '../kit/faults/faults.ts';
import { printedTable } from '../kit/measure/table.ts';
import { trial } from '../kit/measure/trial.ts';
import { seededRandom, times } from '../kit/settings.ts';
import { openWorld, type World } from '../kit/world.ts';

const random = seededRandom();
const RESETS = times(5, 60);
const table = printedTable();

describe('lines that break under load', () => {
  const brokers = useBrokers({ mosquitto: { persistence: false }, rabbitmq: {}, prosody: PROSODY });
  let world: World;
  beforeAll(async () => {
    world = await openWorld(brokers, ['MQTT → AMQP', 'AMQP → MQTT', 'HTTP → MQTT', 'MQTT → room']);
  });
  afterAll(() => world.close());

  it.each<ConnectionName>(['floor', 'erp', 'chat'])(`lose nothing over ${RESETS} resets of %s`, async (name) => {
    const rows = await trial(world, resets(world.proxies[name]!, name, RESETS, random));
    table.push(...rows);
    for (const row of rows) expect(row).toMatchObject({ lost: 0, disordered: 0 });
  });
});
