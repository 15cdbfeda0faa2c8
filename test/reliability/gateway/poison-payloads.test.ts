import { useBrokers, waitFor } from '@magpie/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PROSODY } from '../kit/clients/paths.ts';
import { attempts, expired } from '../kit/measure/probe.ts';
import { printedTable } from '../kit/measure/table.ts';
import { type Observed, underLoad } from '../kit/measure/trial.ts';
import { createAccounts, letterReader } from '../kit/poison/accounts.ts';
import { POISONER, type PoisonEnds, poisonEnds } from '../kit/poison/ends.ts';
import { POISON_LINES, POISON_ROUTES, type PoisonLine, poisonSenders } from '../kit/poison/lines.ts';
import { seededRandom, times } from '../kit/settings.ts';
import { openWorld, type World } from '../kit/world.ts';

const random = seededRandom();
const table = printedTable();
const ENDS_WITHIN_MS = 15_000;

describe('poison among good messages', () => {
  const brokers = useBrokers({
    mosquitto: { persistence: false },
    rabbitmq: {},
    prosody: { ...PROSODY, users: [...PROSODY.users, POISONER] },
  });
  const accounts = createAccounts();
  let ends: PoisonEnds;
  let world: World;
  let letters: ReturnType<typeof letterReader>;
  beforeAll(async () => {
    ends = await poisonEnds(brokers, accounts.arrived);
    const paths = ['MQTT → AMQP', 'AMQP → MQTT', 'HTTP → MQTT', 'MQTT → room'] as const;
    world = await openWorld(brokers, paths, { routes: POISON_ROUTES });
    letters = letterReader(world);
  });
  afterAll(async () => {
    await world.close();
    await ends.close();
  });

  let count = 0;
  const poison = async (line: PoisonLine): Promise<void> => {
    const send = poisonSenders(ends, () => world.gateway.url)[line.by];
    for (const message of line.poisons(random)) {
      const id = `poison-${++count}`;
      accounts.sent(id, line, message);
      if (!(await send(id, message, line.place))) accounts.refused(id);
    }
  };

  const poisonAll = async (): Promise<Observed> => {
    await Promise.all(POISON_LINES.map(poison));
    const allEnded = async (): Promise<boolean> => {
      accounts.dead(await letters());
      return accounts.open().length === 0 && (await expired(world)) === accounts.late();
    };
    // The books say better than a timeout which have no end.
    await waitFor(allEnded, { what: 'an end', timeout: ENDS_WITHIN_MS, interval: 200 }).catch(() => undefined);
    return {};
  };

  it('arrives as it was, or is one dead letter with a reason; everything else goes on', async () => {
    const links = await attempts(world);
    const { pid } = world.gateway;
    for (let round = 0; round < times(1, 100); round++) {
      const rows = await underLoad(world, 'poison', poisonAll, { resumeWithin: 10_000 });
      table.push(...rows);
      accounts.dead(await letters());
      console.table(accounts.totals());
      expect([...accounts.open(), ...accounts.problems()]).toEqual([]);
      expect(await expired(world)).toBe(accounts.late());
      expect(await attempts(world)).toEqual(links);
      expect(world.gateway.pid).toBe(pid);
      for (const row of rows) expect(row).toMatchObject({ lost: 0, disordered: 0 });
      // A room whose echo is late on a busy machine gets some messages again.
      for (const { path, duplicates } of rows.filter(({ path }) => !path.endsWith('room')))
        expect(duplicates, path).toBe(0);
    }
  });
});
