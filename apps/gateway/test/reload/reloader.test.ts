import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { planChanges } from '@magpie/core';
import { waitFor } from '@magpie/testkit';
import { expect, onTestFinished, test } from 'vitest';
import { ADAPTERS, BUILT_INS } from '../../src/adapters.ts';
import { compileFile, connectionMap } from '../../src/config/compile.ts';
import { watchFiles } from '../../src/reload/watch.ts';
import {
  arrived,
  configuration,
  publish,
  route,
  startWorld,
  temporaryDirectory,
  type World,
} from '../support/fixtures.ts';

const A = route('a', 'one');
const B = route('b', 'two');
const reload = (world: World, query = '') => world.api.app.inject({ method: 'POST', url: `/v1/config/reload${query}` });
const read = async (world: World, path: string) => (await world.api.app.inject({ method: 'GET', url: path })).json();

test('a route that was added to the file works after a reload, and the connection was not touched', async () => {
  const world = await startWorld([A]);
  const [before] = world.gateway.connections();
  world.rewrite([A, B]);
  const report = (await reload(world)).json();
  expect(report).toMatchObject({
    applied: true,
    revision: 2,
    connections: { added: [], removed: [], changed: [], unchanged: ['floor'] },
    targets: { added: ['b/floor/channel:two'], removed: [] },
    restartNeeded: [],
  });
  await publish(world, 'b/x', 'hello');
  await waitFor(() => arrived(world.broker, 'two').length === 1, { what: 'the message' });
  expect(world.gateway.connections()[0]?.since).toBe(before?.since);
  expect(world.logged.at(-1)).toMatch(/^info configuration revision 2 is in force: added targets: b\/floor/);
});

test('an invalid file changes nothing, is located by line and column, and is an alarm until it is mended', async () => {
  const world = await startWorld([A]);
  world.rewrite(['  a: { from: { connection: http, topic: "a/#" }, whne: "true", to: [] }']);
  const response = await reload(world);
  expect(response.statusCode).toBe(422);
  const [problem] = response.json().problems;
  expect(problem).toMatchObject({ severity: 'error', file: world.path, line: 7, column: expect.any(Number) });
  expect(world.logged.at(-1)).toContain(`${world.path}:7:`);
  expect((await read(world, '/v1')).alarms).toEqual([expect.stringContaining(`${world.path}:7:`)]);
  expect((await read(world, '/v1/config')).refused.problems).toEqual(response.json().problems);
  await publish(world, 'a/x', 'still');
  await waitFor(() => arrived(world.broker, 'one').length === 1, { what: 'the message by the old route' });
  world.rewrite([A]);
  expect((await reload(world)).statusCode).toBe(200);
  expect((await read(world, '/v1')).alarms).toEqual([]);
});

test('a file that is gone is refused as any other mistake', async () => {
  const world = await startWorld([A]);
  rmSync(world.path);
  const response = await reload(world);
  expect([response.statusCode, response.json().problems[0].message]).toEqual([
    422,
    expect.stringContaining('cannot be read'),
  ]);
});

test('a dry run says what the reload then does, and does nothing itself', async () => {
  const world = await startWorld([A, B], {
    connections: ['  erp: { type: memory, broker: erp-1 }', '  old: { type: memory }'],
  });
  const C = '  c: { from: { connection: http, topic: c }, to: [{ connection: new, channel: c }] }';
  world.rewrite([A, C], {
    connections: ['  erp: { type: memory, broker: erp-1, fifoWindow: 2 }', '  new: { type: memory }'],
  });
  const planned = (await reload(world, '?dryRun=true')).json();
  expect(planned).toMatchObject({ applied: false, revision: 1 });
  expect(planned.connections).toEqual({ added: ['new'], removed: ['old'], changed: ['erp'], unchanged: ['floor'] });
  expect(world.gateway.connections().map(({ name }) => name)).not.toContain('new');
  const applied = (await reload(world)).json();
  expect(applied).toEqual({ ...planned, applied: true, revision: 2, orphans: expect.any(Array) });
  expect(planned.orphans).toEqual([]);
  expect(applied.orphans.map(({ consumer }: { consumer: string }) => consumer).toSorted()).toEqual(
    [...applied.targets.removed].toSorted(),
  );
});

/** What changes when only the password of a connection does. */
function plannedSecretChange(before: string, after: string) {
  const plan = (password: string) => {
    const text = configuration('any', []).replace('broker: any', `broker: any, password: ${password}`);
    const { config, routes } = compileFile(ADAPTERS, { path: 'magpie.yaml', text });
    return { routes: routes!, connections: connectionMap(config!) };
  };
  return planChanges(plan(before), plan(after), BUILT_INS).connections;
}

test('a changed password makes a connection a changed one', () => {
  const { changed } = plannedSecretChange('one', 'two');
  expect(changed).toEqual(['floor']);
  expect(plannedSecretChange('one', 'one').changed).toEqual([]);
});

test('keys that need a restart are reported and stay as they were', async () => {
  const world = await startWorld([A], { gateway: 'id: test, log: { retain: 1d }' });
  world.rewrite([A, B], { gateway: 'id: other, dataDir: ./elsewhere, log: { retain: 2d }' });
  const report = (await reload(world)).json();
  expect(report.restartNeeded).toEqual(['gateway.id', 'gateway.dataDir']);
  const shown = await read(world, '/v1/config');
  expect(shown.restartNeeded).toEqual(report.restartNeeded);
  expect(shown.config.gateway).toMatchObject({ id: 'test', log: { retain: 172_800_000 } });
  expect(shown.config.routes).toHaveProperty('b');
});

test('a look at unchanged files changes nothing; a change of a file referred to does', async () => {
  const file = join(temporaryDirectory(), 'broker-name');
  writeFileSync(file, 'erp-one');
  const world = await startWorld([A], { connections: [`  erp: { type: memory, broker: "\${file:${file}}" }`] });
  expect(world.reloader.files()).toEqual([world.path, file]);
  await world.reloader.filesChanged();
  expect(world.reloader.current().revision).toBe(1);
  writeFileSync(file, 'erp-two');
  await world.reloader.filesChanged();
  expect(world.reloader.current().revision).toBe(2);
  expect(world.logged.at(-1)).toContain('changed connections: erp');
});

test('a start loads the configuration once: the first look of the watch loads nothing', async () => {
  const world = await startWorld([A]);
  let looks = 0;
  const onChange = (): void => void world.reloader.filesChanged().then(() => looks++);
  onTestFinished(watchFiles({ files: world.reloader.files, onChange, quietMs: 20 }));
  await waitFor(() => looks === 1, { what: 'the first look' });
  expect([world.loads(), world.reloader.current().revision]).toEqual([1, 1]);
  world.rewrite([A, B]);
  await waitFor(() => world.reloader.current().revision === 2, { what: 'the change' });
  expect(world.loads()).toBe(2);
});

test('a refused file is loaded once, and again when a file it misses appears', async () => {
  const file = join(temporaryDirectory(), 'broker-name');
  const world = await startWorld([A]);
  world.rewrite([A], { connections: [`  erp: { type: memory, broker: "\${file:${file}}" }`] });
  await world.reloader.filesChanged();
  await world.reloader.filesChanged();
  expect([world.loads(), world.reloader.current().revision]).toEqual([2, 1]);
  writeFileSync(file, 'erp');
  await world.reloader.filesChanged();
  expect([world.loads(), world.reloader.current().revision]).toEqual([3, 2]);
});

test('a gateway that drains does not reload', async () => {
  const world = await startWorld([A]);
  await world.gateway.drain(AbortSignal.timeout(500));
  expect((await reload(world)).statusCode).toBe(503);
  await expect(world.reloader.filesChanged()).resolves.toBeUndefined();
});
