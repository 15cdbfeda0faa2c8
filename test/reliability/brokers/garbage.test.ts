import { useBrokers } from '@magpie/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ConnectionName, PROSODY } from '../kit/clients/paths.ts';
import { garbled } from '../kit/faults/faults.ts';
import { httpNoise, shoutAll } from '../kit/faults/noise.ts';
import { attempts } from '../kit/measure/probe.ts';
import { printedTable } from '../kit/measure/table.ts';
import { trial, underLoad } from '../kit/measure/trial.ts';
import { seededRandom, times } from '../kit/settings.ts';
import { openWorld, type World } from '../kit/world.ts';

const random = seededRandom();
const table = printedTable();
/** How soon messages flow again is measured elsewhere: the witness of a room reads slowly on a busy machine. */
const LOAD = { resumeWithin: 15_000 };

describe('garbage on every socket', () => {
  const brokers = useBrokers({ mosquitto: { persistence: false }, rabbitmq: {}, prosody: PROSODY });
  let world: World;
  beforeAll(async () => {
    world = await openWorld(brokers, ['MQTT → AMQP', 'AMQP → MQTT', 'HTTP → MQTT', 'MQTT → room']);
  });
  afterAll(() => world.close());

  it.each<ConnectionName>(['floor', 'erp', 'chat'])('closes that link only, and loses nothing: %s', async (name) => {
    for (let round = 0; round < times(2, 500); round++) {
      const { [name]: _, ...before } = await attempts(world);
      const rows = await trial(world, garbled(world.proxies[name]!, name, random), LOAD);
      table.push(...rows);
      for (const row of rows) expect(row).toMatchObject({ lost: 0, disordered: 0 });
      expect(await attempts(world)).toMatchObject(before);
    }
  });

  it('keeps serving the API, and everything flows on', async () => {
    const before = await attempts(world);
    const shouting = async (): Promise<object> => {
      const port = Number(new URL(world.gateway.url).port);
      for (let round = 0; round < times(2, 500); round++) await shoutAll(port, httpNoise(random));
      return {};
    };
    const rows = await underLoad(world, 'garbage to the API', shouting, LOAD);
    table.push(...rows);
    for (const row of rows) expect(row).toMatchObject({ lost: 0, disordered: 0 });
    expect(await attempts(world)).toEqual(before);
  });
});
