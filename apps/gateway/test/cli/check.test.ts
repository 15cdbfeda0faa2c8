import { expect, test } from 'vitest';
import { command } from '../support/command.ts';
import { configuration, fileWith, route } from '../support/fixtures.ts';

/** A route that sends "hi", with a test that wants a text. */
const tested = (wanted: string): string =>
  configuration('any', [
    '  a:',
    '    from: { connection: http, topic: "a/#" }',
    '    to: [{ connection: floor, channel: one, text: hi }]',
    `    tests: [{ given: { topic: a/b, payload: 1 }, expect: [{ connection: floor, text: ${wanted} }] }]`,
  ]);

test('check shows the guarantee of each target and what the tests gave', async () => {
  const { stdout, code } = await command('check', fileWith(tested('hi')));
  expect(stdout).toMatch(/a\s+floor\/channel:one\s+at-least-once/);
  expect(stdout).toContain('ok, 0 warnings; 1 routes, 1 targets, 1 of 1 route tests passed');
  expect(code).toBe(0);
});

test('check fails when a test of a route does', async () => {
  const { stdout, code } = await command('check', fileWith(tested('ho')));
  expect(stdout).toContain('expected "ho", got "hi"');
  expect(code).toBe(1);
});

test('check shows every mistake with its place, as text and as JSON', async () => {
  const path = fileWith(
    configuration('any', [route('a', 'one', ', retian: true'), route('b', 'two').replace('floor', 'flor')]),
  );
  const { stdout, code } = await command('check', path);
  expect(code).toBe(1);
  expect(stdout).toContain(`${path}:7:`);
  expect(stdout).toContain(`${path}:8:`);
  const { problems } = JSON.parse((await command('check', '--json', path)).stdout);
  expect(problems.map(({ line, hint }: { line: number; hint: string }) => [line, hint])).toEqual([
    [7, expect.stringContaining('"retain"')],
    [8, expect.stringContaining('"floor"')],
  ]);
});

test('a missing secret hides no mistake in the routes but those of a connection that cannot be judged without it', async () => {
  const connections = [
    '  locked: { type: memory, password: "${env:MAGPIE_TEST_UNSET}" }',
    '  unknown: { type: memory, fifoWindow: "${env:MAGPIE_TEST_UNSET}" }',
  ];
  const routes = [
    route('a', 'one', ', retian: true').replace('floor', 'locked'),
    route('b', 'two', ', retian: true').replace('floor', 'unknown'),
    route('c', 'three').replace('floor', 'flor'),
  ];
  const path = fileWith(configuration('any', routes, { connections }));
  const { problems } = JSON.parse((await command('check', '--json', path)).stdout);
  expect(problems.map(({ line, message }: { line: number; message: string }) => [line, message])).toEqual([
    [6, expect.stringContaining('MAGPIE_TEST_UNSET is not set')],
    [7, expect.stringContaining('MAGPIE_TEST_UNSET is not set')],
    [9, expect.stringContaining('unknown key "retian"')],
    [11, expect.stringContaining('"flor"')],
  ]);
});
