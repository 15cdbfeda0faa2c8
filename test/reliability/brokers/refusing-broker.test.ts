import { useBrokers } from '@magpie/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Fault, memoryAlarm, queueDeleted } from '../kit/faults/faults.ts';
import { deadLetters } from '../kit/measure/probe.ts';
import { printedTable } from '../kit/measure/table.ts';
import { type TrialOptions, trial } from '../kit/measure/trial.ts';
import { times } from '../kit/settings.ts';
import { openWorld, type World } from '../kit/world.ts';

const table = printedTable();

describe('a broker that lives but does not take messages', () => {
  const brokers = useBrokers({ mosquitto: { persistence: false }, rabbitmq: {} });
  let world: World;
  beforeAll(async () => {
    world = await openWorld(brokers, ['MQTT → AMQP', 'AMQP → MQTT', 'HTTP → AMQP', 'HTTP → MQTT']);
  });
  afterAll(() => world.close());

  const cases: readonly { readonly what: string; readonly fault: () => Fault; readonly options?: TrialOptions }[] = [
    {
      what: 'the queue of a target is deleted and declared again',
      fault: () => queueDeleted(brokers.rabbitmq, 'from-mqtt', 1500, world.proxies.erp),
    },
    {
      what: 'the queue of a source is deleted and declared again',
      fault: () => queueDeleted(brokers.rabbitmq, 'to-mqtt', 1500),
      // What is on its way to the gateway, unacknowledged, when its queue is deleted has nowhere to come back to.
      options: { forgets: 100 },
    },
    { what: 'a memory alarm comes and goes', fault: () => memoryAlarm(brokers.rabbitmq, 2500) },
  ];
  it.each(cases)('loses nothing and leaves no dead letters: $what', async ({ fault, options }) => {
    for (let round = 0; round < times(1, 100); round++) {
      const rows = await trial(world, fault(), options);
      table.push(...rows);
      for (const row of rows) expect(row).toMatchObject({ lost: 0, disordered: 0 });
      expect(await deadLetters(world)).toBe(0);
    }
  });
});
