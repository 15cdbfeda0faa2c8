import { existsSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { requireProgram, run } from './process/run.ts';

/** Paths of PEM files; every one exists. */
export interface TlsFiles {
  /** Certificate of the private authority that signed the others. */
  readonly ca: string;
  /** Server certificate for localhost, *.localhost and 127.0.0.1, and its key. */
  readonly certificate: string;
  readonly key: string;
  /** Same names, but its validity ended in the past. */
  readonly expiredCertificate: string;
  /** Client certificate with the common name `magpie`, and its key. */
  readonly clientCertificate: string;
  readonly clientKey: string;
}

const names = 'subjectAltName=DNS:localhost,DNS:*.localhost,IP:127.0.0.1';

/**
 * Makes a private authority with a server, an expired server and a client certificate in `directory`, unless they are
 * there. Takes about 0.2 s. Called once per broker start.
 * @throws Error when openssl is missing or fails.
 */
export async function tlsFiles(directory: string): Promise<TlsFiles> {
  if (!existsSync(directory)) await makeWhole(directory);
  const at = (name: string) => join(directory, name);
  return {
    ca: at('ca.crt'),
    certificate: at('localhost.crt'),
    key: at('localhost.key'),
    expiredCertificate: at('expired.crt'),
    clientCertificate: at('client.crt'),
    clientKey: at('client.key'),
  };
}

/** Builds beside the final place and renames, so that brokers starting at once never see half of it. */
async function makeWhole(directory: string): Promise<void> {
  const building = `${directory}.${process.pid}.${Math.random().toString(36).slice(2)}`;
  await mkdir(building, { recursive: true });
  await makeAuthority(building);
  await makeLeaves(building);
  try {
    await rename(building, directory);
  } catch (error) {
    await rm(building, { recursive: true, force: true });
    if (!existsSync(directory)) throw error;
  }
}

async function makeAuthority(directory: string): Promise<void> {
  const at = (name: string) => join(directory, name);
  await openssl([
    ...[
      'req',
      '-x509',
      ...freshKey(at('ca.key')),
      '-out',
      at('ca.crt'),
      '-days',
      '3650',
      '-subj',
      '/CN=Magpie test CA',
    ],
    ...['-addext', 'basicConstraints=critical,CA:TRUE', '-addext', 'keyUsage=critical,keyCertSign,cRLSign'],
  ]);
}

async function makeLeaves(directory: string): Promise<void> {
  const at = (name: string) => join(directory, name);
  await request(at('localhost'), '/CN=localhost');
  await request(at('client'), '/CN=magpie');
  await writeFile(at('server.ext'), `${names}\nextendedKeyUsage=serverAuth\n`);
  await writeFile(at('client.ext'), 'extendedKeyUsage=clientAuth\n');
  await sign(directory, 'localhost.csr', 'localhost.crt', 'server.ext', 3650);
  await sign(directory, 'client.csr', 'client.crt', 'client.ext', 3650);
  // openssl 3.0 has no -not_after for x509; a negative number of days ends the validity before it begins, which every verifier calls expired.
  await sign(directory, 'localhost.csr', 'expired.crt', 'server.ext', -1);
}

const request = (path: string, subject: string) =>
  openssl(['req', '-new', ...freshKey(`${path}.key`), '-out', `${path}.csr`, '-subj', subject]);

function sign(directory: string, from: string, to: string, extensions: string, days: number): Promise<string> {
  const at = (name: string) => join(directory, name);
  return openssl([
    ...[
      'x509',
      '-req',
      '-in',
      at(from),
      '-out',
      at(to),
      '-CA',
      at('ca.crt'),
      '-CAkey',
      at('ca.key'),
      '-CAcreateserial',
    ],
    ...['-extfile', at(extensions), '-days', String(days)],
  ]);
}

/** P-256: made in a millisecond, and every broker and client takes it. */
const freshKey = (path: string): string[] => [
  ...['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', path],
];

const openssl = (args: readonly string[]) => run(requireProgram('openssl'), args);
