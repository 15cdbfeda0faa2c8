import { type MagpieError, Throttled, Transient } from '@magpie/contract';
import { waitFor } from '@magpie/testkit';
import { expect, test } from 'vitest';
import { reloadReportSchema } from '../../src/resources/config/schema.ts';
import { targetsSchema } from '../../src/resources/targets/schema.ts';
import { get, post, startWorld, type World } from '../support/fixtures.ts';

const CONSUMER = 'notices/floor/channel:board/notices';
const NONE = { places: [], waiting: 0, held: 0, blocked: 0, inFlight: 0, lagging: false, suspended: false };

/** A world whose board gives a notice up after two attempts by blocking, and refuses so many sends. */
async function refusing(count: number, error: () => MagpieError): Promise<World> {
  const retry = { attempts: 2, backoff: { min: '1ms', max: '1ms' }, then: 'block' };
  const to = [{ connection: 'floor', channel: 'board/notices' }];
  const world = await startWorld({
    routes: { notices: { from: { connection: 'http', topic: 'notices/#' }, to, retry } },
  });
  world.broker.refuseSends(count, error);
  await post(world, { topic: 'notices/hall', text: 'a' });
  return world;
}

const targets = async (world: World) => (await get(world, '/v1/targets')).json();
const target = async (world: World) =>
  (await targets(world)).targets.find(({ consumer }: { consumer: string }) => consumer === CONSUMER);

const act = ({ api }: World, consumer: string, decision: string) =>
  api.app.inject({ method: 'POST', url: `/v1/targets/${encodeURIComponent(consumer)}/${decision}` });

test('targets are listed with what they have before them', async () => {
  const world = await startWorld();
  const answer = await targets(world);
  expect(targetsSchema.strict().parse(answer)).toEqual(answer);
  expect(answer).toEqual({
    targets: [
      { consumer: CONSUMER, connection: 'floor', ...NONE },
      { consumer: '$direct/floor', connection: 'floor', ...NONE },
    ],
    orphans: [],
  });
});

test('a suspended target says since when, why, and when it is probed', async () => {
  const world = await refusing(1, () => new Throttled('the board is busy', 60_000));
  await waitFor(async () => (await target(world)).suspended, { what: 'the suspension' });
  const { suspension, ...load } = await target(world);
  expect(load).toMatchObject({ waiting: 1, suspended: true });
  expect(suspension.error).toBe('the board is busy');
  expect(Date.parse(suspension.nextAttempt) - Date.parse(suspension.since)).toBe(60_000);
});

test('what is out of attempts is counted, and tried again when the operator asks for it', async () => {
  const world = await refusing(2, () => new Transient('full'));
  await waitFor(async () => (await target(world)).blocked === 1, { what: 'the blocked delivery' });
  expect((await act(world, CONSUMER, 'retry')).json()).toEqual({ deliveries: 1 });
  await waitFor(() => world.broker.seen.length === 1, { what: 'the notice' });
  await waitFor(async () => (await target(world)).held === 0, { what: 'nothing held' });
  expect((await act(world, CONSUMER, 'retry')).json()).toEqual({ deliveries: 0 });
});

test('what is out of attempts becomes a dead letter when the operator asks for it', async () => {
  const world = await refusing(2, () => new Transient('full'));
  await waitFor(async () => (await target(world)).blocked === 1, { what: 'the blocked delivery' });
  const response = await act(world, CONSUMER, 'dead-letter');
  expect([response.statusCode, response.json()]).toEqual([202, { deliveries: 1 }]);
  const letters = async () => (await get(world, '/v1/dead-letters')).json().deadLetters;
  await waitFor(async () => (await letters()).length === 1, { what: 'the dead letter' });
});

test('a decision about an unknown target, of whatever length, is a 404 that says so', async () => {
  const world = await startWorld();
  for (const consumer of ['nobody', `notices/floor/channel:${'long/'.repeat(100)}`]) {
    const response = await act(world, consumer, 'retry');
    expect([response.statusCode, response.json().detail]).toEqual([404, expect.stringContaining(consumer)]);
  }
});

test('removed targets are listed with how long their backlog is kept, also after a reload', async () => {
  const since = Date.parse('2026-01-01T00:00:00Z');
  const world = await startWorld({
    wrapLog: (log) => ({
      ...log,
      orphans: async () => [{ consumer: 'old/one', orphanedAt: since, backlog: true }],
    }),
    config: {
      current: () => {
        throw new Error('nobody asks');
      },
      reload: async () => ({
        type: 'applied',
        revision: 2,
        report: {
          connections: { added: [], removed: [], changed: [], unchanged: [] },
          targets: { added: [], removed: [], kept: 0 },
        },
        restartNeeded: [],
        warnings: [],
      }),
    },
  });
  const orphans = [
    { consumer: 'old/one', since: '2026-01-01T00:00:00.000Z', keptUntil: '2026-01-02T00:00:00.000Z', backlog: true },
  ];
  expect((await targets(world)).orphans).toEqual(orphans);
  const reloaded = (await world.api.app.inject({ method: 'POST', url: '/v1/config/reload' })).json();
  expect(reloadReportSchema.parse(reloaded).orphans).toEqual(orphans);
});
