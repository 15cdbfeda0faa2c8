import { writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf, run } from '@magpie/brokers';
import { waitFor } from '@magpie/testkit';
import { describe, expect, test } from 'vitest';
import { configuration, fileWith, route, temporaryDirectory } from '../support/fixtures.ts';
import { magpie, runGateway, startGateway } from '../support/process.ts';

const ROUTES = [route('a', 'one')];
const LIMIT = { timeout: 60_000 };

const publish = (url: string, text: string): Promise<Response> =>
  fetch(`${url}/v1/messages`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ topic: 'a/x', text }),
  });

test.skipIf(process.platform !== 'linux').each(['/dev/null/data', '/proc/self'])(
  'a data directory that cannot be used, %s, ends the start with 1',
  LIMIT,
  async (dataDir) => {
    const file = fileWith(configuration('any', ROUTES, { gateway: `id: test, dataDir: ${dataDir}` }));
    const { code, stderr } = await magpie('run', '-c', file);
    expect([code, stderr]).toEqual([1, expect.stringContaining(`the data directory ${dataDir} cannot be used`)]);
  },
);

test('SIGTERM drains and ends with 0', LIMIT, async () => {
  const { signal, exited, output } = await runGateway(fileWith(configuration('any', ROUTES)));
  signal('SIGTERM');
  expect(await exited()).toBe(0);
  expect(output()).toContain('SIGTERM: draining');
});

/** Lets a process wait at a pipe whenever it is about to open the file beside it, which then holds what came by the pipe. */
const HOLD = `
const fs = require('node:fs');
const { openSync } = fs;
fs.openSync = (path, ...more) => {
  if (!String(path).endsWith('/broker')) return openSync(path, ...more);
  const file = openSync(path, 'w');
  fs.writeSync(file, fs.readFileSync(path.replace(/broker$/, 'pipe')));
  fs.closeSync(file);
  return openSync(path, ...more);
};
require('node:module').syncBuiltinESMExports();
`;

/** A gateway whose start waits until `feed` has given it the name of its broker. */
async function startingGateway() {
  const directory = temporaryDirectory();
  const [pipe, hold] = [join(directory, 'pipe'), join(directory, 'hold.cjs')];
  await run('mkfifo', [pipe]);
  writeFileSync(hold, HOLD);
  const file = fileWith(configuration(`"\${file:${join(directory, 'broker')}}"`, ROUTES));
  const wrapper = ['env', `NODE_OPTIONS=--require ${hold}`];
  const gateway = await startGateway(file, { wrapper, options: ['--no-watch'] });
  /** Lets it read; calls back when it is about to. */
  const feed = async (broker: string, before = (): void => undefined): Promise<void> => {
    const handle = await open(pipe, 'w');
    before();
    await handle.writeFile(broker);
    await handle.close();
  };
  return { ...gateway, feed };
}

test.each(['SIGTERM', 'SIGINT'] as const)('%s during the start ends with 0', LIMIT, async (name) => {
  const { signal, exited, feed, output } = await startingGateway();
  await feed('any', () => signal(name));
  expect([await exited(), output()]).toEqual([
    0,
    expect.stringContaining(`${name}: the gateway ends as soon as its start allows`),
  ]);
  expect(output()).not.toContain('listening');
});

test('SIGUSR1 opens no debugger', LIMIT, async () => {
  const { signal, output, exited } = await runGateway(fileWith(configuration('any', ROUTES)));
  signal('SIGUSR1');
  await waitFor(() => output().includes('SIGUSR1: ignored'), { what: 'the word about it', timeout: 10_000 });
  expect(output()).not.toMatch(/Debugger listening/);
  signal('SIGTERM');
  expect(await exited()).toBe(0);
});

test('SIGHUP during the start reloads once the gateway has started', LIMIT, async () => {
  const { signal, feed, listening, output } = await startingGateway();
  await feed('one', () => signal('SIGHUP'));
  await listening();
  await feed('two');
  await waitFor(() => output().includes('revision 2 is in force: changed connections: floor'), { what: 'the reload' });
});

test('a second signal ends a draining gateway at once', LIMIT, async () => {
  const { signal, exited, url, output } = await runGateway(fileWith(configuration('any', ROUTES)));
  // A request that never ends holds the shutdown up.
  const body = new ReadableStream({ start: (controller) => controller.enqueue('{') });
  const headers = { 'content-type': 'application/json' };
  const hanging = fetch(`${url}/v1/messages`, { method: 'POST', headers, body, duplex: 'half' }).catch(() => undefined);
  await sleep(200);
  signal('SIGTERM');
  await waitFor(() => output().includes('draining'), { what: 'the drain' });
  const before = performance.now();
  signal('SIGTERM');
  expect(await exited()).toBe(1);
  expect(performance.now() - before).toBeLessThan(1000);
  await hanging;
});

test('a changed file and SIGHUP reload, a mistake is logged with its place', LIMIT, async () => {
  const path = fileWith(configuration('any', ROUTES));
  const { signal, url, output } = await runGateway(path);
  const revision = async (): Promise<number> => {
    const response = await fetch(`${url}/v1/config`);
    const shown: { readonly revision: number } = JSON.parse(await response.text());
    return shown.revision;
  };
  writeFileSync(path, configuration('any', [...ROUTES, route('b', 'two')]));
  await waitFor(async () => (await revision()) === 2, { what: 'the reload', timeout: 10_000 });
  signal('SIGHUP');
  await waitFor(async () => (await revision()) === 3, { what: 'the reload by SIGHUP' });
  writeFileSync(path, configuration('any', ['  a: { fron: 1 }']));
  await waitFor(() => output().includes(`${path}:7:`), { what: 'the mistake in the log', timeout: 10_000 });
  expect((await publish(url, 'still')).status).toBe(202);
  expect(await revision()).toBe(3);
});

const noStrace = await run('strace', ['-V']).then(() => undefined, messageOf);

describe.skipIf(noStrace !== undefined)(`a failing fsync${noStrace === undefined ? '' : ` (${noStrace})`}`, () => {
  test('ends the gateway with 70 within a second, with one sentence', LIMIT, async () => {
    const inject = ['-e', 'trace=fdatasync,fsync', '-e', 'inject=fdatasync,fsync:error=EIO:when=60+'];
    const strace = ['strace', '-f', '-qq', '-o', '/dev/null', ...inject];
    const { exited, url, output } = await runGateway(fileWith(configuration('any', ROUTES)), strace);
    let failedAt = 0;
    void (async () => {
      for (let index = 0; failedAt === 0; index++) {
        const status = await publish(url, `${index}`).then(
          (response) => response.status,
          () => 0, // It has ended.
        );
        if (status !== 202) failedAt = performance.now();
      }
    })();
    expect(await exited()).toBe(70);
    expect(performance.now() - failedAt).toBeLessThan(1000);
    const sentences = output()
      .split('\n')
      .filter((line) => line.includes('"level":"error"'));
    expect(sentences).toHaveLength(1);
    expect(sentences[0]).toMatch(/"msg":"stopping: the event log in .* has failed: .*disk I\/O error/);
  });
});
