import { useBrokers } from '@magpie/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PROSODY } from '../kit/clients/paths.ts';
import { type Fault, killed } from '../kit/faults/faults.ts';
import { printedTable } from '../kit/measure/table.ts';
import { type TrialOptions, trial } from '../kit/measure/trial.ts';
import { times } from '../kit/settings.ts';
import { openWorld, type World } from '../kit/world.ts';

const table = printedTable();
const DOWN_MS = 1000;
/** Mosquitto writes its whole store after each change: more would only measure its disk. */
const LOAD: TrialOptions = { pause: 200 };

/** Messages that Mosquitto has acknowledged are on its disk after this time. */
const SAVED_AFTER_MS = 2000;

interface Case {
  readonly name: string;
  readonly fault: () => Fault;
  readonly options: TrialOptions;
}

describe('a broker that is killed with -9 under load and started again', () => {
  const brokers = useBrokers({ mosquitto: {}, rabbitmq: {}, prosody: PROSODY });
  let world: World;
  beforeAll(async () => {
    world = await openWorld(brokers, ['MQTT → AMQP', 'AMQP → MQTT', 'HTTP → MQTT', 'MQTT → room']);
  });
  afterAll(() => world.close());

  const cases: readonly Case[] = [
    {
      name: 'Mosquitto',
      fault: () => killed(brokers.mosquitto, 'floor', DOWN_MS),
      options: { ...LOAD, forgets: SAVED_AFTER_MS },
    },
    { name: 'RabbitMQ', fault: () => killed(brokers.rabbitmq, 'erp', DOWN_MS), options: LOAD },
    { name: 'Prosody', fault: () => killed(brokers.prosody, 'chat', DOWN_MS), options: LOAD },
  ];
  it.each(cases)('loses nothing and resumes by itself: $name', async ({ fault, options }) => {
    for (let round = 0; round < times(1, 100); round++) {
      const rows = await trial(world, fault(), options);
      table.push(...rows);
      for (const row of rows) expect(row).toMatchObject({ lost: 0, disordered: 0 });
    }
  });
});
