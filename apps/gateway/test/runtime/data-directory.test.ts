import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { configuration, fileWith, route } from '../support/fixtures.ts';
import { magpie, runGateway } from '../support/process.ts';

const LIMIT = { timeout: 60_000 };

/** A configuration file, and the data directory beside it. */
function gatewayFile(): { readonly file: string; readonly dataDir: string } {
  const file = fileWith(configuration('any', [route('a', 'one')]));
  return { file, dataDir: join(dirname(file), 'data') };
}

/** The HTTP status for a message that was sent, 0 without an answer. */
const publish = (url: string, text: string): Promise<number> =>
  fetch(`${url}/v1/messages`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ topic: 'a/x', text }),
  }).then(
    ({ status }) => status,
    () => 0,
  );

const alarms = async (url: string): Promise<readonly string[]> => {
  const shown: { readonly alarms: readonly string[] } = JSON.parse(await (await fetch(`${url}/v1`)).text());
  return shown.alarms;
};

const errorsIn = (output: string): readonly string[] =>
  output.split('\n').filter((line) => line.includes('"level":"error"'));

test.each(['.', 'log.db', 'log.db-wal', 'lock.db'])(
  'an idle gateway whose %s was removed ends with 70',
  LIMIT,
  async (name) => {
    const { file, dataDir } = gatewayFile();
    const { url, exited, output } = await runGateway(file);
    expect(await publish(url, 'before')).toBe(202);
    rmSync(join(dataDir, name), { recursive: true });
    expect(await exited()).toBe(70);
    expect(errorsIn(output())).toEqual([
      expect.stringMatching(/"msg":"stopping: the event log in \S+ has failed: \S+ was removed while it was in use\./),
    ]);
  },
);

test('nothing is acknowledged after the data directory was removed', LIMIT, async () => {
  const { file, dataDir } = gatewayFile();
  const { url, exited } = await runGateway(file);
  expect(await publish(url, 'before')).toBe(202);
  await sleep(50);
  rmSync(dataDir, { recursive: true });
  expect(await publish(url, 'after')).not.toBe(202);
  expect(await exited()).toBe(70);
});

test('a missing write-ahead log is refused with 1, and accepted on request', LIMIT, async () => {
  const { file, dataDir } = gatewayFile();
  const gateway = await runGateway(file);
  expect(await publish(gateway.url, 'lost')).toBe(202);
  await gateway.kill();
  rmSync(join(dataDir, 'log.db-wal'));
  const refused = await magpie('run', '-c', file);
  expect(refused).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^magpie: .*log\.db-wal is missing: .*--accept-loss/m),
  });
  const { url, output } = await runGateway(file, [], ['--accept-loss']);
  expect(output()).toMatch(/"level":"warn".*log\.db-wal is missing/);
  expect(await publish(url, 'goes on')).toBe(202);
});

test('a data directory that cannot be written is refused with 1', LIMIT, async () => {
  const file = fileWith(configuration('any', [], { gateway: 'id: test, dataDir: /proc/nowhere' }));
  const { code, stderr } = await magpie('run', '-c', file);
  expect(stderr).toMatch(/^magpie: the data directory \/proc\/nowhere cannot be used: .*It must be a directory/m);
  expect(code).toBe(1);
});

test('a damaged record is an alarm once it was met', LIMIT, async () => {
  const { file, dataDir } = gatewayFile();
  const before = await runGateway(file);
  expect(await publish(before.url, 'a text that is easy to find')).toBe(202);
  before.signal('SIGTERM');
  await before.exited();
  const log = join(dataDir, 'log.db');
  const bytes = readFileSync(log);
  bytes.write('A', bytes.indexOf('a text that is easy to find'));
  writeFileSync(log, bytes);
  const { url } = await runGateway(file);
  await fetch(`${url}/v1/events`);
  expect(await alarms(url)).toEqual([expect.stringMatching(/^the event log has skipped 1 damaged record, /)]);
});
