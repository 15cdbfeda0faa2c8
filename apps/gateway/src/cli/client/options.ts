import { X509Certificate } from 'node:crypto';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { readTextFile } from '@magpie/contract';
import { type Command, InvalidArgumentError } from 'commander';
import { DEFAULT_URL } from './http.ts';

/** Adds the options of every command that talks to a running gateway. */
export const withClientOptions = (command: Command): Command =>
  command
    .option('--url <url>', 'the gateway', gatewayUrl, DEFAULT_URL)
    .option(
      '--key <key>',
      'bearer key; prefer the variable MAGPIE_KEY, as other users can see this option in the process list',
    )
    .option('--ca <file>', 'PEM file of certificates to trust besides those of the system, for https://', trustFile);

/** Parses `--url`. Throws `InvalidArgumentError`, which commander prints with the name of the option. */
function gatewayUrl(text: string): string {
  const protocol = URL.parse(text)?.protocol;
  if (protocol === 'http:' || protocol === 'https:') return text;
  throw new InvalidArgumentError(`Expected a URL such as ${DEFAULT_URL}.`);
}

/**
 * Parses `--ca`: from here on this process trusts those certificates as well. Throws `InvalidArgumentError` for a file that is none,
 * the error of the system for one that cannot be read.
 */
function trustFile(path: string): string {
  const text = readTextFile(path);
  try {
    new X509Certificate(text);
  } catch {
    throw new InvalidArgumentError('Expected a PEM file of certificates.');
  }
  setDefaultCACertificates([...getCACertificates('default'), text]);
  return path;
}
