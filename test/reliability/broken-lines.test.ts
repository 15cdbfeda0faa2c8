import { useBrokers } from '@magpie/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { resets } from './kit/faults.ts';
import { type ConnectionName, PROSODY } from './kit/paths.ts';
import { seededRandom, times } from './kit/settings.ts';
import { type Row, renderTable } from './kit/table.ts';
import { trial } from './kit/trial.ts';
import { openWorld, type World } from './kit/world.ts';

const random = seededRandom();
const RESETS = times(6, 60);
const rows: Row[] = [];

describe('lines that break under load', () => {
  const brokers = useBrokers({
    mosquitto: { persistence: false },
    rabbitmq: {},
    prosody: PROSODY,
  });
  let world: World;
  beforeAll(async () => {
    world = await openWorld(brokers, ['MQTT → AMQP', 'AMQP → MQTT', 'HTTP → MQTT', 'MQTT → room']);
  });
  afterAll(async () => {
    await world.close();
    console.log(renderTable(rows));
  });

  it.each<ConnectionName>(['floor', 'erp', 'chat'])(`loses nothing over ${RESETS} resets of %s`, async (name) => {
    const counted = await trial(world, resets(world.proxies[name]!, name, RESETS, random));
    rows.push(...counted);
    for (const row of counted) expect(row).toMatchObject({ lost: 0, disordered: 0 });
  });
});
