import { expect, onTestFinished, test, vi } from 'vitest';
import { command } from '../support/command.ts';
import { configuration, fileWith } from '../support/fixtures.ts';

const FILE = configuration('any', [
  '  alarms:',
  '    from: { connection: floor, channel: "plant/{device}/alarm" }',
  '    when: payload.severity >= 3',
  '    to: [{ connection: floor, channel: "loud/${device}", text: "${device}: ${payload.text}" }]',
  '  quiet: { from: { connection: floor, channel: "other/#" }, to: [{ connection: floor, channel: quiet }] }',
]);

const explain = (...args: readonly string[]) => command('explain', '-c', fileWith(FILE), ...args);

test('explain shows captures, the rendered message and why the other routes do not match', async () => {
  const { stdout } = await explain('floor', 'plant/p7/alarm', '{"severity":4,"text":"hot"}');
  expect(stdout).toContain('✔ alarms');
  expect(stdout).toContain('captures: device = "p7"');
  expect(stdout).toContain('address: channel:loud/p7');
  expect(stdout).toContain('text: p7: hot');
  expect(stdout).toContain('✘ quiet');
});

test('explain says which condition did not hold', async () => {
  const { stdout } = await explain('floor', 'channel:plant/p7/alarm', '{"severity":1}');
  expect(stdout).toMatch(/✘ alarms: .*payload\.severity >= 3/);
});

test('explain shows an expression that fails as an error', async () => {
  const { stdout } = await explain('floor', 'plant/p7/alarm', '{"severity":4}');
  expect(stdout).toMatch(/error: .*text/);
});

test.each([
  [['flor', 'a', 'x'], 'unknown connection "flor": expected one of floor, http'],
  [['floor', 'plant/a', 'x', '--origin', '[1]'], '--origin: expected a JSON object'],
  [['floor', 'plant/a', 'x', '--origin', '{'], '--origin: expected a JSON object'],
])('explain %j fails with a sentence', async (args, message) => {
  await expect(explain(...args)).rejects.toThrow(message);
});

test('explain refuses a file with mistakes and shows where they are', async () => {
  const path = fileWith(FILE.replace('severity >= 3', 'severity >>= 3'));
  const written = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  onTestFinished(() => written.mockRestore());
  await expect(command('explain', '-c', path, 'floor', 'a', 'x')).rejects.toThrow(`${path} has errors`);
  expect(written.mock.calls.join('')).toContain(`${path}:9:29: error`);
});
