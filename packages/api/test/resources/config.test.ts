import { expect, test } from 'vitest';
import type { ConfigControl, ConfigProblem } from '../../src/index.ts';
import { configSchema, reloadReportSchema } from '../../src/resources/config/schema.ts';
import { get, startWorld, type World } from '../support/fixtures.ts';

const PROBLEM: ConfigProblem = {
  severity: 'error',
  file: 'magpie.yaml',
  line: 4,
  column: 7,
  endLine: 4,
  endColumn: 12,
  pointer: '/routes/a/when',
  message: 'expected an expression, got nothing',
};

const REPORT = {
  connections: { added: ['erp'], removed: [], changed: [], unchanged: ['floor'] },
  targets: { added: ['a/erp'], removed: [], kept: 2 },
};

/** A configuration that can be loaded again, or has a mistake. */
const control = (isValid: boolean): ConfigControl => ({
  current: () => ({
    file: 'magpie.yaml',
    revision: 3,
    hash: 'ab',
    loadedAt: 1_767_225_600_000,
    config: { version: 1 },
    restartNeeded: ['http.port'],
    ...(isValid ? {} : { refused: { at: 1_767_225_600_000, problems: [PROBLEM] } }),
  }),
  reload: async ({ dryRun }) =>
    isValid
      ? { type: dryRun ? 'planned' : 'applied', revision: 3, report: REPORT, restartNeeded: [], warnings: [] }
      : { type: 'invalid', problems: [PROBLEM] },
});

const reload = ({ api }: World, query = '') => api.app.inject({ method: 'POST', url: `/v1/config/reload${query}` });

test('the configuration in force is shown with its revision, hash, time and why a later one was refused', async () => {
  const response = await get(await startWorld({ config: control(false) }), '/v1/config');
  expect(configSchema.parse(response.json())).toEqual(response.json());
  expect(response.json()).toMatchObject({
    revision: 3,
    hash: 'ab',
    loadedAt: '2026-01-01T00:00:00.000Z',
    restartNeeded: ['http.port'],
    refused: { at: '2026-01-01T00:00:00.000Z', problems: [PROBLEM] },
  });
});

test.each([
  ['', true],
  ['?dryRun=true', false],
])('a reload%s answers with what changed', async (query, applied) => {
  const response = await reload(await startWorld({ config: control(true) }), query);
  expect(response.statusCode).toBe(200);
  expect(reloadReportSchema.parse(response.json())).toEqual({
    applied,
    revision: 3,
    ...REPORT,
    orphans: [],
    restartNeeded: [],
    warnings: [],
  });
});

test('an invalid configuration is a 422 with every problem and its place', async () => {
  const response = await reload(await startWorld({ config: control(false) }));
  expect(response.statusCode).toBe(422);
  expect(response.headers['content-type']).toContain('application/problem+json');
  expect(response.json().problems).toEqual([PROBLEM]);
  expect(response.json().detail).toContain('magpie.yaml:4:7: expected an expression, got nothing');
});

test('a dry run must be true or false', async () => {
  const response = await reload(await startWorld({ config: control(true) }), '?dryRun=maybe');
  const detail = 'expected true or false, got "maybe"';
  expect(response.json().errors).toEqual([{ in: 'query', pointer: '/dryRun', detail }]);
});

test('a gateway without a configuration file says so', async () => {
  const world = await startWorld();
  expect((await get(world, '/v1/config')).statusCode).toBe(404);
  expect((await reload(world)).statusCode).toBe(404);
});

test('the entry shows alarms', { timeout: 20_000 }, async () => {
  const world = await startWorld({ alarms: async () => ['too many dead letters'] });
  world.broker.requirePassword('another');
  world.broker.disconnectAll();
  await expect
    .poll(async () => (await get(world, '/v1')).json().alarms, { timeout: 15_000 })
    .toEqual([expect.stringMatching(/^connection floor: /), 'too many dead letters']);
});
