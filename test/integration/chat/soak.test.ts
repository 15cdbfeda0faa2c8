import { type People, startPeople, useSharedBrokers } from '@magpie/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Outcome, Soak, WAYS, type Way } from '../../support/soak.ts';

const shared = useSharedBrokers('mosquitto', 'rabbitmq');
let people: People;
beforeAll(async () => {
  people = await startPeople();
});
afterAll(() => people.close());

/** Messages a round each way, and rounds: a thousand of a person, and half as many of a device. */
const EACH = 25;
const ROUNDS = 20;

/** What breaks in which round. */
const FAULTS: Readonly<Record<number, (soak: Soak) => Promise<unknown>>> = {
  3: async (soak) => soak.cut(),
  6: (soak) => soak.blackHole(1_500),
  9: (soak) => soak.killServer(),
  12: (soak) => soak.killGateway(),
  15: (soak) => soak.startGateway(),
  17: async (soak) => soak.cut(),
};

/** Messages before the first fault. */
const UNDISTURBED = 3 * EACH;
/** Most deliveries that a killed gateway repeats: the window of a target's link. */
const AGAIN = 100;

async function through(soak: Soak, quietMs: number): Promise<Readonly<Record<Way, Outcome>>> {
  for (let round = 0; round < ROUNDS; round++) await soak.say(EACH, () => FAULTS[round]?.(soak) ?? Promise.resolve());
  await soak.settled(quietMs);
  return soak.outcomes();
}

const figures = (who: string, outcomes: Readonly<Record<Way, Outcome>>, refused: number): string =>
  WAYS.map((way) => {
    const { said, lost, takenInTwice, repeated, unmarked } = outcomes[way];
    return `${who}, ${way}: ${said} said, ${lost.length} lost, ${takenInTwice} taken in twice, ${repeated} repeated (${unmarked} without a mark); ${refused} refused`;
  }).join('\n');

/** Runs it all, prints what came of it, and takes everything down. What an account misses may take its time, for none of it may be lost. */
async function soaked(
  name: 'prosody' | 'ejabberd',
  mode: 'client' | 'component',
): Promise<{ readonly outcomes: Readonly<Record<Way, Outcome>>; readonly refused: ReadonlySet<string> }> {
  const mosquitto = `mqtt://127.0.0.1:${shared.mosquitto.ports.plain}`;
  const brokers = { mosquitto, rabbitmq: shared.rabbitmq.urls.plain };
  const soak = await Soak.open({ name, mode }, { people, brokers });
  try {
    const outcomes = await through(soak, mode === 'client' ? 25_000 : 4_000);
    const refused = new Set(soak.refused());
    console.log(figures(`${mode} on ${name}`, outcomes, refused.size));
    return { outcomes, refused };
  } finally {
    await soak.close();
  }
}

describe('a thousand messages through two resets, a black hole, a kill of the server and one of the gateway', () => {
  it.each(['prosody', 'ejabberd'] as const)(
    'an account loses none, and what comes twice is dropped before its targets, on %s',
    { timeout: 90_000 },
    async (name) => {
      const { outcomes } = await soaked(name, 'client');
      for (const way of WAYS) expect(outcomes[way].lost, way).toEqual([]);
      for (const way of ['chat', 'room'] as const) {
        expect(outcomes[way], way).toMatchObject({ takenInTwice: 0, unmarked: 0 });
        // What was confirmed just before the gateway was killed is sent again.
        expect(outcomes[way].repeated, way).toBeLessThanOrEqual(AGAIN);
      }
    },
  );

  /** In the long form alone: MAGPIE_SOAK=long. */
  it.runIf(process.env.MAGPIE_SOAK === 'long').each(['prosody', 'ejabberd'] as const)(
    'a component loses what is written to it while its link is down, tells who wrote it, and loses nothing of a room or that it sends, on %s',
    { timeout: 90_000 },
    async (name) => {
      const { outcomes, refused } = await soaked(name, 'component');
      const { chat, room, floor } = outcomes;
      expect(floor.lost).toEqual([]);
      // The archive of the room has what was said there meanwhile.
      expect(room.lost).toEqual([]);
      expect([chat.takenInTwice, room.takenInTwice]).toEqual([0, 0]);
      expect(chat.lost.length).toBeLessThan(chat.said / 2);
      expect(chat.lost.filter((text) => Number(text.split('-')[1]) < UNDISTURBED)).toEqual([]);
      // What is on its way when a line is cut is lost without a word.
      expect(chat.lost.filter((text) => !refused.has(text)).length).toBeLessThanOrEqual(EACH);
    },
  );
});
