import { useBrokers } from '@magpie/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ConnectionName, PROSODY } from '../kit/clients/paths.ts';
import { blackHoled, type Fault, stopped } from '../kit/faults/faults.ts';
import { printedTable } from '../kit/measure/table.ts';
import { type TrialOptions, trial } from '../kit/measure/trial.ts';
import { times } from '../kit/settings.ts';
import { LIMITS, openWorld, type World } from '../kit/world.ts';

const table = printedTable();
const SILENT_MS = 8000;
const NOTICED_WITHIN_MS = 2 * LIMITS.keepaliveMs + 5000;
/**
 * Prosody 0.12.3, when it finds the old line still full, ends the session that was just resumed on a new one, or reads
 * nothing more of it. The gateway has to find that out by the missing acknowledgement and come again with a new session.
 */
const PROSODY_LOAD: TrialOptions = { resumeWithin: 5000 + 6 * LIMITS.keepaliveMs };
/** What the paths that are not hit must deliver meanwhile: a quarter of what is sent, because a busy machine sends less. */
const MEANWHILE = (200 * SILENT_MS) / 1000 / 4;

describe('a broker that falls silent without closing the line', () => {
  const brokers = useBrokers({ mosquitto: { persistence: false }, rabbitmq: {}, prosody: PROSODY });
  let world: World;
  beforeAll(async () => {
    world = await openWorld(brokers, ['MQTT → AMQP', 'HTTP → AMQP', 'HTTP → MQTT', 'MQTT → room']);
  });
  afterAll(() => world.close());

  const hole = (name: ConnectionName): Fault => blackHoled(world.proxies[name]!, name, SILENT_MS);
  const cases: readonly (readonly [string, () => Fault])[] = [
    ['Mosquitto is stopped', () => stopped(brokers.mosquitto, 'floor', SILENT_MS)],
    ['RabbitMQ is stopped', () => stopped(brokers.rabbitmq, 'erp', SILENT_MS)],
    ['Prosody is stopped', () => stopped(brokers.prosody, 'chat', SILENT_MS)],
    ['the line to Mosquitto swallows everything', () => hole('floor')],
    ['the line to RabbitMQ swallows everything', () => hole('erp')],
    ['the line to Prosody swallows everything', () => hole('chat')],
  ];
  it.each(cases)('is noticed, holds nobody else up and loses nothing: %s', async (_, fault) => {
    for (let round = 0; round < times(1, 50); round++) {
      const injected = fault();
      const load = injected.hits === 'chat' ? PROSODY_LOAD : {};
      const rows = await trial(world, injected, { ...load, meanwhile: MEANWHILE });
      table.push(...rows);
      for (const row of rows) {
        expect(row).toMatchObject({ lost: 0, disordered: 0 });
        expect(row.noticed).toBeLessThan(NOTICED_WITHIN_MS);
      }
    }
  });
});
