import { isIP } from 'node:net';
import type { SecureContext } from 'node:tls';
import {
  type CertificateSettings,
  errorMessage,
  filePathSchema,
  loadCertificates,
  privateKeySchema,
  secretSchema,
} from '@magpie/contract';
import { z } from 'zod';

const KEYS = {
  ca: filePathSchema()
    .optional()
    .describe('Certificate authorities to trust: PEM file or PEM text. Default: those of the system.'),
  cert: filePathSchema().optional().describe('Client certificate, for servers that ask for one: PEM file or PEM text.'),
  key: privateKeySchema().optional().describe('Private key of `cert`: PEM file or PEM text.'),
  passphrase: secretSchema().optional().describe('Passphrase of `key`.'),
  serverName: z
    .string()
    .min(1)
    .optional()
    .describe('Name expected in the server’s certificate, if it differs from the host in the URL.'),
  verify: z.boolean().default(true).describe('Whether to verify the server’s certificate. Turn it off for tests only.'),
} as const;

/** A parsed `tls` of any connection. */
export interface TlsSettings extends CertificateSettings {
  readonly serverName?: string | undefined;
  readonly verify: boolean;
}

/** Schema of the key `tls` of a connection, the same in every protocol; `more` are keys that only one protocol has. */
export const tlsSchema = <M extends z.ZodRawShape>(more: M) =>
  z
    .strictObject({ ...KEYS, ...more })
    .refine((tls) => ('cert' in tls && tls.cert !== undefined) === ('key' in tls && tls.key !== undefined), {
      error: 'expected both cert and key, or neither',
    });

/** The options of `tls.connect` that follow from the settings. */
export interface TlsOptions {
  readonly secureContext: SecureContext;
  readonly rejectUnauthorized: boolean;
  /** Server name indication (RFC 6066 section 3): never an IP address. */
  readonly servername?: string;
}

/**
 * Reads and checks certificates and keys. Called at every connect, so that renewed files are used.
 * @param host the name we connect to, which the certificate has to carry unless `serverName` is set.
 * @throws ConfigInvalid with the pointer of the key, `/tls/ca` for example, when a file cannot be read or is not such a
 * PEM file.
 */
export async function loadTls(settings: TlsSettings = { verify: true }, host: string): Promise<TlsOptions> {
  const { context: secureContext } = loadCertificates(settings);
  const name = settings.serverName ?? host;
  return { secureContext, rejectUnauthorized: settings.verify, ...(isIP(name) === 0 && { servername: name }) };
}

const codeOf = (error: unknown): string =>
  typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';

/** Advice for TLS errors at connect. Patterns are tried in order on the error's code and message. */
const TLS_ADVICE: readonly (readonly [pattern: RegExp, advice: string])[] = [
  [/SELF_SIGNED|UNABLE_TO_/, "set tls.ca to the authority that signed the server's certificate"],
  [/CERT_HAS_EXPIRED/, "renew the server's certificate"],
  [/CERT_NOT_YET_VALID/, "check the clocks: the server's certificate is not valid yet"],
  [/ERR_TLS_CERT_ALTNAME_INVALID/, "set tls.serverName to a name in the server's certificate"],
  [
    /certificate required|handshake failure|alert bad certificate/i,
    'set tls.cert and tls.key: the server requires a client certificate that it trusts',
  ],
  [/wrong version number|packet length too long|EPROTO/, 'check whether the port speaks TLS'],
  [/CERT_|ERR_SSL|ERR_TLS/, 'check tls.ca and tls.serverName'],
];

/** Advice for a TLS error, as half a sentence; undefined for any other error. */
export function tlsAdvice(error: unknown): string | undefined {
  const text = `${codeOf(error)} ${errorMessage(error)}`;
  return TLS_ADVICE.find(([pattern]) => pattern.test(text))?.[1];
}
