import { type MagpieError, Throttled, Transient } from '@magpie/contract';
import { waitFor } from '@magpie/testkit';
import { expect, test } from 'vitest';
import { command } from '../support/command.ts';
import { arrived, publish, route, startWorld, type World } from '../support/fixtures.ts';

const TARGET = 'a/floor/channel:one';
const BLOCKING = ', retry: { attempts: 1, then: block }';

/** A gateway whose target has refused a message for this reason. */
async function refusing(error: () => MagpieError, extra = ''): Promise<World> {
  const world = await startWorld([route('a', 'one', extra)]);
  world.broker.refuseSends(1, error);
  await publish(world, 'a/x', 'hello');
  return world;
}

const busy = (): Throttled => new Throttled('the channel is busy', 60_000);
const full = (): Transient => new Transient('the queue is full');

const targets = async ({ url }: World, ...args: readonly string[]) =>
  (await command('targets', ...args, '--url', url)).stdout;
const alarms = async ({ api }: World) => (await api.app.inject({ method: 'GET', url: '/v1' })).json().alarms;
const gauge = async ({ metrics }: World, name: string, target = TARGET) =>
  new RegExp(`^magpie_${name}\\{target="${target}"\\} (\\d+)$`, 'm').exec(await metrics.expose())?.[1];

test('targets are listed as a table or as JSON', async () => {
  const world = await startWorld([route('a', 'one')]);
  const lines = (await targets(world)).trimEnd().split('\n');
  expect(lines[0]).toMatch(/^TARGET +CONNECTION +WAITING +IN FLIGHT +HELD +BLOCKED +STATE$/);
  expect(lines[1]).toMatch(new RegExp(`^${TARGET} +floor +0 +0 +0 +0$`));
  const { targets: shown } = JSON.parse(await targets(world, 'list', '--json'));
  expect(shown[0]).toMatchObject({ consumer: TARGET, inFlight: 0 });
});

test('a delivery is counted under the same name of the target as the gauges and the list have', async () => {
  const world = await startWorld([route('a', 'one')]);
  await publish(world, 'a/x', 'hello');
  const counted = `magpie_deliveries_total{route="a",target="${TARGET}",result="confirmed"} 1`;
  await waitFor(async () => (await world.metrics.expose()).includes(counted), { what: 'the count' });
  expect(await gauge(world, 'backlog_deliveries')).toBe('0');
});

test('a suspended target shows in the list, as an alarm, as a gauge and once in the log', async () => {
  const world = await refusing(busy);
  await waitFor(async () => (await alarms(world)).length > 0, { what: 'the alarm' });
  expect(await alarms(world)).toEqual([
    expect.stringMatching(new RegExp(`^target ${TARGET} is suspended since 2.*Z: the channel is busy$`)),
  ]);
  expect(await targets(world)).toMatch(/ suspended since \S+Z: the channel is busy; next probe \S+Z\n/);
  expect([await gauge(world, 'target_suspended'), await gauge(world, 'backlog_deliveries')]).toEqual(['1', '1']);
  expect(await gauge(world, 'target_lagging')).toBe('0');
  expect(world.logged.filter((line) => line.includes('is suspended'))).toEqual([
    `warn the target ${TARGET} is suspended, it is probed: the channel is busy`,
  ]);
});

/** A time of day so many hours from now, in UTC. */
const hoursFromNow = (hours: number): string => new Date(Date.now() + hours * 3_600_000).toISOString().slice(11, 16);

test('quiet hours show in the list with what waits for their end, and are no alarm', async () => {
  const quiet = `, quiet: { from: "${hoursFromNow(-1)}", to: "${hoursFromNow(2)}", timeZone: UTC }`;
  const world = await startWorld([route('a', 'one', quiet)]);
  await publish(world, 'a/x', 'hello');
  await waitFor(async () => (await gauge(world, 'backlog_deliveries')) === '1', { what: 'the message that waits' });
  expect(await targets(world)).toMatch(new RegExp(`${TARGET} +floor +1 +0 +0 +0 +quiet hours until \\S+Z\n`));
  expect(await alarms(world)).toEqual([]);
  expect(arrived(world.broker, 'one')).toEqual([]);
});

test('what exceeds a rate shows in the list until its summary is sent, and is counted by that name', async () => {
  const world = await startWorld([route('a', 'one', ', rate: { max: 1, per: 1h, summary: "${count} more" }')]);
  for (const text of ['1', '2', '3']) await publish(world, 'a/x', text);
  const counted = `magpie_deliveries_total{route="a",target="${TARGET}",result="limited"} 2`;
  await waitFor(async () => (await world.metrics.expose()).includes(counted), { what: 'the count' });
  expect(await targets(world)).toContain('limited: 2 not sent, waiting for their summary\n');
  expect(arrived(world.broker, 'one')).toEqual(['1']);
  expect(await alarms(world)).toEqual([]);
});

test('what is out of attempts and blocks its lane shows, and is tried again or given up', async () => {
  const world = await refusing(full, BLOCKING);
  await publish(world, 'a/x', 'behind');
  await waitFor(async () => (await gauge(world, 'target_blocked_deliveries')) === '1', { what: 'the blocked one' });
  await waitFor(async () => (await gauge(world, 'backlog_deliveries')) === '2', { what: 'the one behind it' });
  expect(await alarms(world)).toEqual([
    expect.stringContaining(`target ${TARGET} is blocked by deliveries that ran out of attempts (1): `),
  ]);
  world.broker.refuseSends(1, full);
  expect(await targets(world, 'retry', TARGET)).toBe('1 will be retried\n');
  await waitFor(async () => (await gauge(world, 'target_blocked_deliveries')) === '1', { what: 'the refusal' });
  expect(await targets(world, 'give-up', TARGET)).toBe('1 became dead letters\n');
  await waitFor(() => arrived(world.broker, 'one').length === 1, { what: 'the one behind it' });
  expect(arrived(world.broker, 'one')).toEqual(['behind']);
  expect(await alarms(world)).toEqual([]);
  await expect(targets(world, 'retry', 'a/nobody')).rejects.toThrow('404 Not found: There is no target "a/nobody"');
});

test('the backlog of a removed target is named by the reload and in the list, and its gauges are gone', async () => {
  const world = await refusing(full, BLOCKING);
  await waitFor(async () => (await gauge(world, 'target_blocked_deliveries')) === '1', { what: 'the blocked one' });
  world.rewrite([route('b', 'two')]);
  const { stdout } = await command('reload', '--url', world.url);
  expect(stdout).toMatch(new RegExp(`  ! the backlog of the removed target ${TARGET} is kept until 2\\S+Z\n`));
  expect(await targets(world)).toMatch(
    new RegExp(`\n\nREMOVED TARGET.*\n${TARGET} +2\\S+Z +2\\S+Z +deliveries wait\n$`),
  );
  expect(await gauge(world, 'backlog_deliveries')).toBeUndefined();
  expect(await gauge(world, 'backlog_deliveries', 'b/floor/channel:two')).toBe('0');
  world.rewrite([route('a', 'one'), route('b', 'two')]);
  expect((await command('reload', '--url', world.url)).stdout).not.toContain('backlog');
  expect(await targets(world)).not.toContain('REMOVED');
});
