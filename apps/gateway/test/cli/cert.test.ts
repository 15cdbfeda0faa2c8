import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { command } from '../support/command.ts';
import { startWorld, temporaryDirectory } from '../support/fixtures.ts';

test('a certificate that magpie cert has made serves a gateway, and commands that are given it trust it', async () => {
  const out = join(temporaryDirectory(), 'new');
  const { stdout } = await command('cert', '--host', 'localhost', '127.0.0.1', '::1', '--out', out);
  expect(statSync(join(out, 'key.pem')).mode & 0o777).toBe(0o600);
  const tls = stdout
    .match(/^ {4}(cert|key): .*$/gm)
    ?.map((line) => line.trim())
    .join(', ');
  const { url } = await startWorld([], { http: `port: 0, tls: { ${tls} }` });
  const local = url.replace('127.0.0.1', 'localhost');
  await expect(command('targets', '--url', url)).rejects.toThrow(/is not trusted: .*--ca/);
  for (const each of [url, local])
    expect((await command('targets', '--url', each, '--ca', join(out, 'cert.pem'))).code).toBe(0);
});

test('files that are there are replaced only by --force, and the key is then readable by its owner alone', async () => {
  const out = temporaryDirectory();
  const key = join(out, 'key.pem');
  writeFileSync(key, 'precious', { mode: 0o644 });
  await expect(command('cert', '--host', 'localhost', '--out', out)).rejects.toThrow(/key\.pem is there already/);
  expect(readFileSync(key, 'utf8')).toBe('precious');
  await command('cert', '--host', 'localhost', '--out', out, '--force');
  expect(readFileSync(key, 'utf8')).toContain('PRIVATE KEY');
  expect(statSync(key).mode & 0o777).toBe(0o600);
});

test.each([
  ['--host', 'https://example.org'],
  ['--host', 'a b'],
  ['--days', '10000'],
])('%s %s is refused before anything is written', async (option, value) => {
  await expect(command('cert', '--host', 'localhost', option, value)).rejects.toThrow(/Expected/);
});
