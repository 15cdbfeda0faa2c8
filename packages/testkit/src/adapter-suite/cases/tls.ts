import { readFile } from 'node:fs/promises';
import { ConfigInvalid } from '@magpie/contract';
import { expect } from 'vitest';
import type { Bench, CaseGroup } from '../bench.ts';
import { errorOf, expectError } from '../errors.ts';
import type { Link } from '../link.ts';
import { recordingSink } from '../sinks.ts';

/** The keys of `tls` that every protocol with TLS has. */
export const TLS_KEYS = ['ca', 'cert', 'key', 'passphrase', 'serverName', 'verify'] as const;

/** TLS, where the protocol has it: the same keys, the same answers. */
export const tlsCases = {
  'tls-trusted': {
    title: 'connects by TLS to a server whose authority it is given, as a file and as text',
    async run(bench) {
      const { ca } = ground(bench);
      for (const value of [ca, await readFile(ca, 'utf8')]) await works(secured(bench, { ca: value }));
    },
  },
  'tls-certificate': {
    title: 'takes a certificate and key of its own, as files and as text',
    async run(bench) {
      const { ca, cert, key } = ground(bench);
      await works(secured(bench, { ca, cert, key }));
      await works(secured(bench, { ca, cert: await readFile(cert, 'utf8'), key: await readFile(key, 'utf8') }));
    },
  },
  'tls-untrusted': {
    title: 'refuses a server whose authority it does not know as NotConnected, and says which key to set',
    async run(bench) {
      const error = await expectError(secured(bench, {}).connect(), 'NotConnected');
      expect(error.message).toContain('set tls.ca');
    },
  },
  'tls-name': {
    title: 'refuses a certificate for another name as NotConnected, and says which key to set',
    async run(bench) {
      const { ca } = ground(bench);
      const link = secured(bench, { ca, serverName: 'other.example.org' });
      const error = await expectError(link.connect(), 'NotConnected');
      expect(error.message).toContain('set tls.serverName');
    },
  },
  'tls-unverified': {
    title: 'connects to an unknown server when told not to verify',
    run: (bench) => works(secured(bench, { verify: false })),
  },
  'tls-unreadable': {
    title:
      'says ConfigInvalid with the pointer of the key for a file that is missing or holds something else, never a secret',
    async run(bench) {
      const { ca, cert, key } = ground(bench);
      const missing = '/nowhere/canary-battery.pem';
      const wrong = [
        { at: '/tls/ca', tls: { ca: missing } },
        { at: '/tls/ca', tls: { ca: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n' } },
        { at: '/tls/cert', tls: { ca, cert: missing, key } },
        { at: '/tls/cert', tls: { ca, cert: key, key } },
        { at: '/tls/key', tls: { ca, cert, key: missing } },
        { at: '/tls/key', tls: { ca, cert, key: '-----BEGIN PRIVATE KEY-----\ncanary-battery\n' } },
      ];
      for (const { at, tls } of wrong) {
        const error = await errorOf(secured(bench, tls).connect());
        expect(error).toBeInstanceOf(ConfigInvalid);
        expect(error).toMatchObject({ pointer: at, message: expect.stringMatching(`^${at}: `) });
        if (at === '/tls/key') expect(`${error.message} ${error.stack}`).not.toContain('canary-battery');
      }
    },
  },
} as const satisfies CaseGroup;

function ground({ site }: Bench) {
  if (site.tls) return site.tls;
  throw new Error('the fixture offers no tls: offer it, or declare the cases unsupported, with the reason');
}

const secured = (bench: Bench, tls: Readonly<Record<string, unknown>>): Link =>
  bench.link({ ...ground(bench).connection, tls });

async function works(link: Link): Promise<void> {
  await link.connect();
  await link.receive(recordingSink().sink, []);
  await link.probe();
  await link.close();
}
