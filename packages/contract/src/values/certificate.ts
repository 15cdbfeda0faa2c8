import { X509Certificate } from 'node:crypto';
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls';
import { ConfigInvalid, errorMessage } from '../adapter/errors.ts';
import { type Secret, secretSchema } from './secret.ts';
import { readTextFile } from './text-file.ts';

/** Certificates and keys as a configuration names them: each is PEM text or the path of a PEM file. */
export interface CertificateSettings {
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: Secret | undefined;
  readonly passphrase?: Secret | undefined;
}

/** Schema of the private key of a certificate: PEM text, or the path of a PEM file. */
export const privateKeySchema = () => secretSchema().meta({ secret: true, filePath: true });

/** Certificates and keys that were read, and fit together. */
export interface LoadedCertificates {
  readonly options: SecureContextOptions;
  readonly context: SecureContext;
}

type PemKey = 'ca' | 'cert' | 'key';

const PEM = /^\s*-----BEGIN /;

/**
 * Reads and checks certificates and keys, for TLS 1.2 and later. Called at every connect of a client, at the start of a server
 * and when its files change, so that renewed files are used.
 * @throws ConfigInvalid with the pointer of the key, `/tls/ca` for example, when a file cannot be read or is not such a PEM
 * file. No message shows a key.
 */
export function loadCertificates(settings: CertificateSettings): LoadedCertificates {
  const ca = readPem('ca', settings.ca);
  const cert = readPem('cert', settings.cert);
  const key = readPem('key', settings.key?.reveal());
  const passphrase = settings.passphrase?.reveal();
  if (ca !== undefined) mustParse('ca', 'an authority that cannot be read', () => new X509Certificate(ca));
  if (cert !== undefined) mustParse('cert', 'a certificate that cannot be read', () => createSecureContext({ cert }));
  const options: SecureContextOptions = {
    minVersion: 'TLSv1.2',
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    ...(passphrase !== undefined && { passphrase }),
  };
  const problem = 'a key that cannot be read, has another passphrase, or belongs to another certificate';
  return { options, context: mustParse('key', problem, () => createSecureContext(options)) };
}

/** The paths of the files among these settings; texts in their place have none. */
export const certificateFiles = ({ ca, cert, key }: CertificateSettings): readonly string[] =>
  [cert, key?.reveal(), ca].flatMap((value) => (value === undefined || PEM.test(value) ? [] : [value]));

/** The PEM text of a value, which is the text or the path of a file. No error shows a key. */
function readPem(name: PemKey, value: string | undefined): string | undefined {
  if (value === undefined || PEM.test(value)) return value;
  const file = name === 'key' ? 'the file' : `"${value}"`;
  let text: string;
  try {
    text = readTextFile(value);
  } catch (error) {
    const reason = name === 'key' ? codeOf(error) : errorMessage(error);
    throw invalid(name, `expected PEM text or a PEM file, but ${file} cannot be read: ${reason}`, error);
  }
  if (text.includes('-----BEGIN ')) return text;
  throw invalid(name, `expected PEM text or a PEM file, but ${file} holds none`);
}

function mustParse<T>(name: PemKey, problem: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw invalid(name, `${problem}: ${errorMessage(error)}`, error);
  }
}

const invalid = (name: PemKey, problem: string, cause?: unknown): ConfigInvalid =>
  new ConfigInvalid(problem, { pointer: `/tls/${name}`, cause });

const codeOf = (error: unknown): string =>
  typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
