import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { renderProblems } from '@magpie/config';
import { testAuthority, waitFor } from '@magpie/testkit';
import { expect, test } from 'vitest';
import { ADAPTERS } from '../../src/adapters.ts';
import { compileFile } from '../../src/config/compile.ts';
import { configuration, startWorld, temporaryDirectory } from '../support/fixtures.ts';

const HTTP = 'port: 0, tls: { cert: cert.pem, key: key.pem }';
const NAMES = [{ type: 'dns', value: 'localhost' }] as const;

/** A directory with a configuration that names the files beside it. */
async function directoryWith(keyMode = 0o600) {
  const directory = temporaryDirectory();
  const authority = await testAuthority();
  const path = join(directory, 'magpie.yaml');
  const at = (name: string) => join(directory, name);
  const pem = await authority.issue(NAMES);
  writeFileSync(path, configuration('any', [], { http: HTTP }));
  writeFileSync(at('cert.pem'), pem.cert);
  writeFileSync(at('key.pem'), pem.key);
  chmodSync(at('key.pem'), keyMode);
  const compile = () => compileFile(ADAPTERS, { path });
  return { at, authority, compile };
}

test('certificates stand beside the file that names them, and are shown with their path', async () => {
  const { compile, at } = await directoryWith();
  const { problems, config, routes } = compile();
  expect(problems).toEqual([]);
  expect(routes).toBeDefined();
  expect(config?.http.tls?.cert).toBe(at('cert.pem'));
});

test('a key of another certificate is refused where it is named, with what to do', async () => {
  const { compile, at, authority } = await directoryWith();
  const other = await authority.issue(NAMES);
  writeFileSync(at('key.pem'), other.key);
  const { problems, source, routes } = compile();
  expect(routes).toBeUndefined();
  const shown = renderProblems(problems, source);
  expect(shown).toMatch(/magpie\.yaml:3:\d+: error.*belongs to another certificate.*; name the PEM file of the key/);
  expect(shown).not.toContain(other.key.split('\n')[1]);
});

test('a certificate that is missing is refused with its path', async () => {
  const { compile, at } = await directoryWith();
  writeFileSync(at('cert.pem'), 'nothing');
  expect(compile().problems).toMatchObject([
    {
      severity: 'error',
      pointer: '/http/tls/cert',
      message: expect.stringContaining(`"${at('cert.pem')}" holds none`),
    },
  ]);
});

test.skipIf(process.platform === 'win32')('a key that everybody can read is warned of', async () => {
  const { compile } = await directoryWith(0o644);
  expect(compile().problems).toMatchObject([
    { severity: 'warning', pointer: '/http/tls/key', message: expect.stringContaining('(mode 0644)') },
  ]);
});

test('a certificate that is replaced while the gateway runs is in use without a reload, and a reload looks as well', async () => {
  const { at, authority } = await directoryWith();
  const http = `port: 0, tls: { cert: ${at('cert.pem')}, key: ${at('key.pem')} }`;
  const { url, logged, reloader, stop } = await startWorld([], { http });
  expect(url).toMatch(/^https:/);
  const renewals = () => logged.filter((line) => line.includes('was renewed')).length;
  const replace = async (): Promise<void> => {
    const next = await authority.issue(NAMES);
    writeFileSync(at('cert.pem'), next.cert);
    writeFileSync(at('key.pem'), next.key);
  };
  await replace();
  await waitFor(() => renewals() === 1, { what: 'the renewed certificate' });
  expect(reloader.current().revision).toBe(1);
  await replace();
  await reloader.reload({ dryRun: false });
  expect(renewals()).toBe(2);
  await stop(1000);
});
