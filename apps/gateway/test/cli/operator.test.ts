import type { Answer } from '@magpie/api';
import { Rejected } from '@magpie/contract';
import { waitFor } from '@magpie/testkit';
import { expect, test } from 'vitest';
import { timeline } from '../../src/cli/commands/trace.ts';
import { command } from '../support/command.ts';
import { arrived, publish, route, startWorld, type World } from '../support/fixtures.ts';

const CONSUMER = 'a/floor/channel:one';

/** A gateway with a dead letter for each text. */
async function withDeadLetters(...texts: readonly string[]): Promise<{ world: World; ids: readonly string[] }> {
  const world = await startWorld([route('a', 'one')], { gateway: 'id: test, deadLetters: { max: 2 }' });
  world.broker.refuseSends(texts.length, () => new Rejected('the channel is closed'));
  for (const text of texts) await publish(world, 'a/x', text);
  const list = () => world.gateway.deadLetters.list({ limit: 10 });
  await waitFor(async () => (await list()).length === texts.length, { what: 'the dead letters' });
  return { world, ids: (await list()).map(({ id }) => id) };
}

const dlq = ({ url }: World, ...args: readonly string[]) => command('dlq', ...args, '--url', url);

test('dead letters are listed as a table or as JSON', async () => {
  const { world, ids } = await withDeadLetters('one', 'two');
  const { stdout } = await command('dead-letters', 'list', '--url', world.url);
  expect(stdout.split('\n')[0]).toMatch(/^ID +AT +TARGET +REASON +ATTEMPTS +MESSAGE$/);
  expect(stdout).toMatch(new RegExp(`${ids[0]} .*${CONSUMER} +rejected +1 +the channel is closed`));
  const json = JSON.parse((await dlq(world, 'list', '--json', '--limit', '1')).stdout);
  expect(json).toMatchObject([{ id: ids[0], reason: 'rejected' }]);
  expect((await dlq(world, 'list', '--reason', 'age')).stdout).toBe('No matching dead letters.\n');
});

test('a dead letter is shown with event, rendered message and attempts', async () => {
  const { world, ids } = await withDeadLetters('hello');
  const { stdout } = await dlq(world, 'show', ids[0]!);
  expect(stdout).toContain('reason   rejected: Rejected: the channel is closed');
  expect(stdout).toContain('from http at topic:a/x');
  expect(stdout).toContain('sent to  channel:one');
  expect(stdout).toContain('text: hello');
  expect(stdout).toMatch(/^1 +\S+Z +Rejected +the channel is closed$/m);
});

test('a dead letter is retried as it was or changed, and all by selection', async () => {
  const { world, ids } = await withDeadLetters('one', 'two', 'three', 'four');
  await dlq(world, 'retry', ids[0]!);
  await dlq(world, 'retry', ids[1]!, '--payload', '{"mended":true}');
  await waitFor(() => arrived(world.broker, 'one').length === 2, { what: 'the first two' });
  const { stdout } = await dlq(world, 'retry', '--consumer', CONSUMER, '--rate', '500');
  expect(stdout).toBe('retrying 2, 500 per second\n');
  await waitFor(() => arrived(world.broker, 'one').length === 4, { what: 'all' });
  expect(arrived(world.broker, 'one')).toEqual(['one', '{"mended":true}', 'three', 'four']);
});

test('a dead letter is retried with other bytes, media type and headers', async () => {
  const { world, ids } = await withDeadLetters('one');
  const bytes = Buffer.from([0xff, 0xfe]);
  const body = ['--base64', bytes.toString('base64'), '--content-type', 'application/x-pump'];
  await dlq(world, 'retry', ids[0]!, ...body, '--header', 'unit=bar', '--header', 'sum=a=b');
  const message = await waitFor(() => world.broker.seen[0], { what: 'the message' });
  expect([...message.body]).toEqual([...bytes]);
  expect(message.properties).toMatchObject({
    contentType: 'application/x-pump',
    headers: [
      ['unit', 'bar'],
      ['sum', 'a=b'],
    ],
  });
});

test('dead letters are selected by when they ended, where they came from and their message', async () => {
  const { world, ids } = await withDeadLetters('one', 'two');
  const { event } = (await world.gateway.deadLetters.get(ids[1]!))!;
  const listed = async (...args: readonly string[]) =>
    JSON.parse((await dlq(world, 'list', '--json', ...args)).stdout).map(({ id }: { id: string }) => id);
  expect(await listed('--ref', event.ref)).toEqual([ids[1]]);
  expect(await listed('--since', '1h', '--source', 'http')).toEqual(ids);
  expect(await listed('--until', '1h')).toEqual([]);
  expect(await listed('--since', '2999-01-01T00:00:00+02:00')).toEqual([]);
  expect(await listed('--source', 'floor')).toEqual([]);
  expect((await dlq(world, 'drop', '--ref', event.ref)).stdout).toBe('1 are dropped\n');
});

test('a retry of many says how many have no target any more, and the list how many are still to be tried', async () => {
  const { world } = await withDeadLetters('one', 'two', 'three');
  world.rewrite([route('b', 'two')]);
  await command('reload', '--url', world.url);
  expect((await dlq(world, 'retry', '--all')).stdout).toBe(
    'retrying 0, 10 per second\n3 cannot be retried: their target is no longer configured, or they never entered the log\n',
  );
  world.rewrite([route('a', 'one')]);
  await command('reload', '--url', world.url);
  await dlq(world, 'retry', '--all', '--rate', '0.1');
  await waitFor(async () => (await dlq(world, 'list')).stdout.endsWith('\n2 more will be retried.\n'), {
    what: 'the first retry',
  });
});

test('dead letters are dropped one by one, or all with --all', async () => {
  const { world, ids } = await withDeadLetters('one', 'two', 'three');
  await dlq(world, 'drop', ids[0]!);
  await expect(dlq(world, 'drop')).rejects.toThrow(
    'expected the id of a dead letter, --consumer, --reason, --since, --until, --source, --ref or --all',
  );
  expect((await dlq(world, 'drop', '--all')).stdout).toBe('2 are dropped\n');
  await expect(dlq(world, 'show', ids[1]!)).rejects.toThrow(`404 Not found: There is no dead letter ${ids[1]}`);
});

test('more dead letters than are allowed raise an alarm and are a warning, until there are fewer', async () => {
  const { world, ids } = await withDeadLetters('one', 'two', 'three');
  const alarms = async () => (await world.api.app.inject({ method: 'GET', url: '/v1' })).json().alarms;
  const sentence = 'there are 3 dead letters, more than gateway.deadLetters.max (2): retry or drop them';
  expect(await alarms()).toEqual([sentence]);
  await waitFor(() => world.logged.includes(`warn ${sentence}`), { what: 'the warning' });
  expect(await world.metrics.expose()).toMatch(/^magpie_dead_letters 3$/m);
  await dlq(world, 'drop', ids[0]!);
  expect(await alarms()).toEqual([]);
  await waitFor(() => world.logged.includes('info back within the limit: there are 2 dead letters'), {
    what: 'the end of it',
  });
  expect(world.logged.filter((line) => line.includes('more than gateway.deadLetters.max'))).toHaveLength(1);
});

test.each([
  [['retry', 'id', '--payload', '{'], '--payload: expected JSON, got {'],
  [['retry', 'id', '--payload', '1', '--text', 'a'], 'at most one of --payload, --text and --base64'],
  [['retry', 'id', '--header', 'a'], '--header: expected name=value, got "a"'],
  [
    ['list', '--since', 'monday'],
    'Expected a time such as 2026-01-31T08:00:00Z, or an age such as 2h (two hours ago).',
  ],
  [['retry', '--all', '--text', 'a'], 'give its id'],
  [['retry', '--all', '--rate', 'fast'], '--rate: expected a number above 0, got "fast"'],
  [['list', '--limit', '0'], '--limit: expected a whole number from 1, got "0"'],
])('dead-letters %j fails with a sentence', async (args, message) => {
  await expect(command('dead-letters', ...args)).rejects.toThrow(message);
});

test('trace shows the hops of a message', async () => {
  const world = await startWorld([route('a', 'one')]);
  const ref = await publish(world, 'a/x', 'hello');
  const trace = () => command('trace', ref, '--url', world.url);
  const stdout = await waitFor(
    async () => {
      const printed = (await trace()).stdout;
      return printed.includes('confirmed') && printed;
    },
    { what: 'the confirmation' },
  );
  const states = stdout.split('\n').flatMap((line) => /(sent|received|stored|confirmed) /.exec(line)?.[1] ?? []);
  expect(states).toEqual(['sent', 'received', 'stored', 'confirmed']);
  expect(stdout).toMatch(/\+\d+ms +a\/floor\/channel:one +confirmed +by .*1 attempt/);
  await expect(command('trace', 'nothing', '--url', world.url)).rejects.toThrow('404 Not found');
});

/** An event that expires, as a trace has it. */
const traced = (targets: Answer<'message'>['targets']) =>
  timeline({
    position: '1:0:7',
    event: {
      ref: 'r',
      source: 'http',
      time: '2026-01-01T00:00:00.000Z',
      receivedAt: '2026-01-01T00:00:00.500Z',
      expiresAt: '2026-01-01T00:01:00.500Z',
      address: 'topic:a',
      kind: 'message',
      key: 'a',
      headers: [],
      via: [],
      origin: {},
    },
    targets,
  })
    .trimEnd()
    .split('\n');

const DONE: Answer<'message'>['targets'][number] = {
  consumer: 'a/done',
  connection: 'floor',
  state: 'confirmed',
  attempts: 1,
  at: '2026-01-01T00:00:02.500Z',
  confirmedBy: 'puback',
};

test('trace shows every refused attempt at its time, and a target that is held with its next try', () => {
  const held: typeof DONE = {
    consumer: 'a/held',
    connection: 'floor',
    state: 'held',
    attempts: 2,
    at: '2026-01-01T00:00:03.500Z',
    error: 'busy',
    failures: [
      { at: '2026-01-01T00:00:01.500Z', error: 'Transient', message: 'full' },
      { at: '2026-01-01T00:00:03.500Z', error: 'Transient', message: 'busy' },
    ],
    nextAttempt: '2026-01-01T00:00:09.000Z',
  };
  expect(traced([held, DONE])).toEqual([
    'TIME                      +       HOP     STATE      DETAIL',
    '2026-01-01T00:00:00.000Z  -500ms  http    sent       at topic:a',
    '2026-01-01T00:00:00.500Z  +0ms    http    received   ref r',
    '2026-01-01T00:00:00.500Z  +0ms    log     stored     position 1:0:7',
    '2026-01-01T00:00:01.500Z  +1.0s   a/held  refused    attempt 1: full',
    '2026-01-01T00:00:02.500Z  +2.0s   a/done  confirmed  by puback, 1 attempt',
    '2026-01-01T00:00:03.500Z  +3.0s   a/held  refused    attempt 2: busy',
    '                                  a/held  held       2 attempts, busy, next try 2026-01-01T00:00:09.000Z',
    '2026-01-01T00:01:00.500Z  +60.0s          expires    not delivered after this time',
  ]);
});

test('trace does not say that a message expires once all its deliveries have ended', () => {
  expect(traced([DONE]).at(-1)).toContain('confirmed');
});

test('trace lists the attempts of a delivery that became a dead letter', async () => {
  const { world, ids } = await withDeadLetters('one');
  const letter = await world.gateway.deadLetters.get(ids[0]!);
  const trace = async () => (await command('trace', letter!.event.ref, '--url', world.url)).stdout;
  const stdout = await waitFor(async () => await trace().then((text) => text.includes(' dead ') && text), {
    what: 'the end of the delivery',
  });
  expect(stdout).toMatch(/a\/floor\/channel:one +refused +attempt 1: the channel is closed\n/);
  expect(stdout).toMatch(/a\/floor\/channel:one +dead +1 attempt, the channel is closed\n/);
});

test('reload says what it did, or would do, and shows mistakes with their place', async () => {
  const world = await startWorld([route('a', 'one')]);
  const reload = (...args: readonly string[]) => command('reload', '--url', world.url, ...args);
  world.rewrite([route('b', 'two')], { connections: ['  erp: { type: memory }'] });
  const changes = [
    '  + connection erp',
    '  + target b/floor/channel:two',
    '  + target $direct/erp',
    `  - target ${CONSUMER}`,
  ];
  const planned = (await reload('--dry-run')).stdout.split('\n');
  expect(planned[0]).toBe('revision 1 stays in force; a reload would make these changes:');
  expect(planned).toEqual(expect.arrayContaining(changes));
  const done = (await reload()).stdout.split('\n');
  expect(done).toEqual(['revision 2 is in force', ...planned.slice(1)]);
  world.rewrite([route('b', 'two').replace('floor', 'flor')]);
  await expect(reload()).rejects.toThrow(`${world.path}:7:`);
});
