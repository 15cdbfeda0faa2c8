import { isIP } from 'node:net';
import { grantSchema, ROLE_NAMES } from '@magpie/access';
import { filePathSchema, privateKeySchema, secretSchema } from '@magpie/contract';
import { z } from 'zod';

const key = z.strictObject({
  id: z
    .string()
    .regex(/^[\w-]{1,64}$/)
    .meta({ expected: 'letters, digits, "_" and "-", at most 64: one segment of an address anywhere' })
    .describe('Name of the key, for events, logs and `${principal.id}` in grants.'),
  hash: z
    .string()
    .regex(/^(sha256:)?[0-9a-fA-F]{64}$/)
    .meta({ secret: true, expected: 'the SHA-256 of the key as 64 hexadecimal digits' })
    .transform((text) => text.replace(/^sha256:/, '').toLowerCase())
    .describe('SHA-256 of the key in hexadecimal; `magpie key new ID` makes both. The file never contains the key.'),
  roles: z
    .array(z.enum(ROLE_NAMES))
    .prefault([])
    .describe(
      'Bundles of grants: `viewer` sees everything, `operator` also retries and drops, `editor` also publishes and reloads, `admin` may do everything.',
    ),
  grants: z
    .array(grantSchema)
    .prefault([])
    .describe(
      'What the key may do besides its roles. What nothing allows is refused, and a `deny` wins over every `allow`.',
    ),
});

const origin = z
  .string()
  .refine((text) => URL.canParse(text) && new URL(text).origin === text)
  .meta({ expected: 'an origin such as "https://app.example.org", without a path' });

const tls = z
  .strictObject({
    cert: filePathSchema().describe('Certificate of the server, followed by its intermediates: PEM file or PEM text.'),
    key: privateKeySchema().describe('Private key of `cert`: PEM file or PEM text.'),
    passphrase: secretSchema().optional().describe('Passphrase of `key`.'),
    ca: filePathSchema()
      .optional()
      .describe('Certificate authorities that client certificates are verified by: PEM file or PEM text.'),
    clientAuth: z
      .enum(['request', 'require'])
      .optional()
      .describe(
        'Client certificates: `request` takes clients with and without one, `require` refuses the connection of a client ' +
          'whose certificate is missing or not signed by `ca`. Default: none is asked for. API keys are needed all the same.',
      ),
  })
  .refine(({ ca, clientAuth }) => (ca === undefined) === (clientAuth === undefined), {
    error: 'expected both ca and clientAuth, or neither',
  });

const network = z.string().refine(isNetwork).meta({ expected: 'an IP address or network such as "10.0.0.0/8"' });

function isNetwork(text: string): boolean {
  const [address = '', bits, ...more] = text.split('/');
  const most = isIP(address) === 4 ? 32 : 128;
  if (isIP(address) === 0 || address.includes('%') || more.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= most);
}

/** The paths of the API begin with `/v1`: a prefix that does too could not be told from them. */
const basePath = z
  .string()
  .regex(/^(?!\/v1(\/|$))(\/(?!\.{1,2}(\/|$))[A-Za-z0-9._~-]+)+$/)
  .meta({ expected: 'a path such as "/magpie", without a slash at its end, that does not start with "/v1"' });

/** Takes effect at the next start. */
const RESTART = { restart: true } as const;

/** Schema of the section `http`. All but the keys is read once, at start. */
export const httpSchema = z.strictObject({
  host: z
    .string()
    .min(1)
    .default('127.0.0.1')
    .meta(RESTART)
    .describe('Address to listen on. Anything but loopback needs `keys`.'),
  port: z.int().min(0).max(65_535).default(8080).meta(RESTART).describe('Port to listen on; 0 takes a free one.'),
  keys: z
    .array(key)
    .prefault([])
    .describe(
      'Bearer keys for the API. Without keys, everyone who can reach the port may use it. A reload takes them up at once: streams of a key that is gone or changed are closed.',
    ),
  tls: tls
    .optional()
    .meta(RESTART)
    .describe(
      'TLS of the API, version 1.2 or later: its URL then starts with https://. Files that change are read again without a ' +
        'restart, and open connections live on.',
    ),
  trustProxy: z
    .union([z.int().min(1).max(16), z.array(network).min(1)])
    .optional()
    .meta(RESTART)
    .describe(
      'Proxies whose `X-Forwarded-For` and `X-Forwarded-Host` are believed: their addresses and networks, or how many stand in a ' +
        'row before the gateway, if nobody can reach it but through them. Default: none.',
    ),
  basePath: basePath
    .optional()
    .meta(RESTART)
    .describe(
      'Path under which clients see the API behind a proxy, whether the proxy removes it or not: links, `Location` and `Link` ' +
        'begin with it.',
    ),
  cors: z
    .strictObject({ origins: z.array(origin).describe('Origins of web pages that may call the API.') })
    .optional()
    .meta(RESTART)
    .describe('Access to the API for web pages of other origins.'),
});

/** The section `http` as loaded: defaults filled in, hashes of keys in lower case. Read by the composition root and the API. */
export type HttpConfig = z.output<typeof httpSchema>;
