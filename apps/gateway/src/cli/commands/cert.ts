import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { join, resolve } from 'node:path';
import { visible } from '@magpie/schema-messages';
import { type Command, InvalidArgumentError } from 'commander';
import { fail } from '../output/fail.ts';
import { print } from '../output/print.ts';

interface CertOptions {
  readonly host: readonly string[];
  readonly out: string;
  readonly days: number;
  readonly force?: boolean;
}

/** Longest time that every client accepts of a certificate that its user trusts by hand: Apple's systems refuse more. */
const MOST_DAYS = 825;
const DAYS = 397;

/** `magpie cert`: a certificate for a first start with TLS. */
export function addCert(program: Command): void {
  program
    .command('cert')
    .description('make a self-signed certificate and its key for the API, and print the lines for the configuration')
    .requiredOption('--host <name...>', 'names and IP addresses by which clients reach the gateway', hostNames)
    .option('--out <directory>', 'where cert.pem and key.pem are written', '.')
    .option('--days <number>', `how long it is valid, at most ${MOST_DAYS}`, days, DAYS)
    .option('--force', 'replace the files if they are there; a running gateway takes them up')
    .action(cert);
}

async function cert({ host, out, days: valid, force = false }: CertOptions): Promise<void> {
  const { selfSigned } = await import('../../config/self-signed.ts'); // Takes 0.2 s, which other commands need not wait.
  const made = await selfSigned(host, valid);
  const directory = resolve(out);
  const [certPath, keyPath] = [join(directory, 'cert.pem'), join(directory, 'key.pem')];
  mkdirSync(directory, { recursive: true });
  write(keyPath, made.key, 0o600, force);
  write(certPath, made.cert, 0o644, force);
  print(instructions(host, certPath, keyPath));
}

/** A replaced file is made anew, so that its mode is ours and not that of the one before. */
function write(path: string, text: string, mode: number, force: boolean): void {
  if (force) rmSync(path, { force: true });
  try {
    writeFileSync(path, text, { mode, flag: 'wx' });
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    fail(`${path} is there already: name another directory with --out, or replace it with --force`);
  }
}

const instructions = (
  [first = 'localhost', ...others]: readonly string[],
  certPath: string,
  keyPath: string,
): string => `\
# Written: ${visible(certPath)} and ${visible(keyPath)} (the key is readable by you alone).
# The certificate is for ${[first, ...others].join(', ')}. Add to the configuration:
http:
  tls:
    cert: ${visible(JSON.stringify(certPath))}
    key: ${visible(JSON.stringify(keyPath))}

# Clients trust it when they are given cert.pem, for example:
#   magpie targets --url https://${isIP(first) === 6 ? `[${first}]` : first}:8080 --ca ${visible(certPath)}
#   curl --cacert ${visible(certPath)} https://${isIP(first) === 6 ? `[${first}]` : first}:8080/livez
`;

const LABEL = '[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?';
const NAME = new RegExp(`^(\\*\\.)?(${LABEL}\\.)*${LABEL}$`, 'i');

/** Parses one `--host`, which may be repeated. Throws `InvalidArgumentError`. */
function hostNames(text: string, before: readonly string[] = []): readonly string[] {
  if (isIP(text) !== 0 || (text.length <= 253 && NAME.test(text))) return [...before, text];
  throw new InvalidArgumentError('Expected a host name or an IP address, such as gateway.example.org or 192.0.2.1.');
}

/** Parses `--days`. Throws `InvalidArgumentError`. */
function days(text: string): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= 1 && number <= MOST_DAYS) return number;
  throw new InvalidArgumentError(`Expected a whole number from 1 to ${MOST_DAYS}.`);
}
