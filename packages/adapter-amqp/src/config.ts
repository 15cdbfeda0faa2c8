import { tlsSchema } from '@magpie/adapter-kit';
import { BODY_LIMITS, durationSchema, Secret, secretSchema, sizeSchema } from '@magpie/contract';
import { z } from 'zod';

/** Address of the broker in parts, so that no text with a password is kept. */
export interface Endpoint {
  readonly secure: boolean;
  readonly hostname: string;
  readonly port: number;
  /** Percent-encoded as in the URL; empty means `/`. */
  readonly vhost: string;
  readonly username?: string;
  readonly password?: Secret;
}

const URL_EXPECTED = 'a URL such as amqp://host:5672, amqps://host:5671 or amqp://host/vhost';

const endpointSchema: z.ZodType<Endpoint, string> = z
  .string()
  .transform((text, context) => {
    const endpoint = parseEndpoint(text);
    if (typeof endpoint === 'string')
      context.addIssue({ code: 'custom', message: `expected ${URL_EXPECTED}, ${endpoint}` });
    return typeof endpoint === 'string' ? z.NEVER : endpoint;
  })
  .meta({ expected: URL_EXPECTED });

/**
 * The parts of a broker URL, or a message about its mistake, which never quotes the URL as it may contain a password.
 */
function parseEndpoint(text: string): Endpoint | string {
  const url = URL.parse(text);
  if (!url) return 'got a text that is not a URL';
  const { protocol, hostname, username, password, pathname } = url;
  if (protocol !== 'amqp:' && protocol !== 'amqps:') return `got the scheme "${protocol}//"`;
  if (hostname === '') return 'got no host';
  if (url.search !== '' || url.hash !== '')
    return 'got parameters after "?": write them as keys of the connection, such as heartbeat';
  if (!decodable(username, password, pathname)) return 'got a "%" that is not followed by two hexadecimal digits';
  const secure = protocol === 'amqps:';
  return {
    secure,
    hostname: hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? (secure ? 5671 : 5672) : Number(url.port),
    vhost: pathname.slice(1),
    ...(username === '' ? {} : { username: decodeURIComponent(username) }),
    ...(password === '' ? {} : { password: new Secret(decodeURIComponent(password)) }),
  };
}

function decodable(...parts: readonly string[]): boolean {
  try {
    parts.forEach(decodeURIComponent);
    return true;
  } catch {
    return false; // The caller turns this into a message.
  }
}

const shortName = (what: string) =>
  z
    .string()
    .min(1)
    .refine((name) => Buffer.byteLength(name) <= 255, `expected a ${what} of at most 255 bytes`);

const argumentsSchema = z
  .record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
  .default({})
  .describe('Broker arguments, for example { x-queue-type: quorum, x-message-ttl: 60000 }');

const exchangeSchema = z.strictObject({
  name: shortName('exchange name').describe('Name of the exchange'),
  type: z.string().min(1).default('topic').describe('topic, direct, fanout, headers or the type of a broker plugin'),
  durable: z.boolean().default(true).describe('Whether the exchange survives a broker restart'),
  autoDelete: z.boolean().default(false).describe('Whether the exchange is deleted with its last binding'),
  arguments: argumentsSchema,
});

const bindingSchema = z.strictObject({
  exchange: shortName('exchange name').describe('Exchange to bind to'),
  routingKey: z.string().default('#').describe('Binding key; "*" matches one word, "#" any number of words'),
  arguments: argumentsSchema,
});

const queueSchema = z.strictObject({
  name: shortName('queue name').describe('Name of the queue'),
  durable: z.boolean().default(true).describe('Whether the queue survives a broker restart'),
  arguments: argumentsSchema,
  bind: z.array(bindingSchema).default([]).describe('Bindings from exchanges'),
});

const declareSchema = z
  .strictObject({
    exchanges: z.array(exchangeSchema).default([]).describe('Exchanges, declared before the queues'),
    queues: z.array(queueSchema).default([]).describe('Queues and their bindings'),
  })
  .prefault({})
  .describe(
    'Exchanges and queues to create on connecting. An existing one with other properties is an error and is not changed',
  );

const seconds = (text: string, least: number, most: number) =>
  durationSchema()
    .refine((ms) => ms >= least && ms <= most, `expected a duration from ${least / 1000}s to ${most / 1000}s`)
    .prefault(text);

const prefetch = () => z.int().min(1).max(65_535);

const whenTooLarge = z
  .enum(['reject', 'hold'])
  .describe(
    'What to do with a received message above 16 MiB. "reject": reject it without requeue, so that the dead-letter ' +
      'exchange of the queue gets it; without one the broker drops it. "hold": leave it unacknowledged, which uses up prefetch',
  );
/** What to do with a received message that is too large to store. */
export type WhenTooLarge = z.output<typeof whenTooLarge>;

/** Keys of a connection besides `type` and `subscribe`. */
export const connectionSchema = z
  .strictObject({
    url: endpointSchema.describe('Broker address, amqp:// or amqps://, with the virtual host as path'),
    username: z
      .string()
      .min(1)
      .optional()
      .describe(
        'User name; takes precedence over the one in the url. Default: none with a client certificate, where the broker takes ' +
          'the name from it (SASL EXTERNAL); else guest',
      ),
    password: secretSchema().optional().describe('Password; takes precedence over the one in the url'),
    tls: tlsSchema({}).optional().describe('TLS of an amqps:// URL.'),
    heartbeat: seconds('10s', 1000, 3_600_000).describe(
      'Heartbeat interval; a silent broker is detected after two to three intervals',
    ),
    prefetch: prefetch().default(1000).describe('Maximum number of unacknowledged messages per queue'),
    confirmTimeout: seconds('60s', 1000, 3_600_000).describe(
      "Longest wait for the broker's confirmation of one message",
    ),
    frameMax: z.int().min(4096).max(16_777_216).default(131_072).describe('Largest frame in bytes'),
    maxBodyBytes: sizeSchema()
      .refine((bytes) => bytes <= BODY_LIMITS.max, `expected at most ${BODY_LIMITS.max / 2 ** 20}MiB`)
      .prefault(`${BODY_LIMITS.max / 2 ** 20}MiB`)
      .describe('Largest body to send'),
    tooLarge: whenTooLarge.default('reject'),
    declare: declareSchema,
  })
  .superRefine(({ url, tls }, context) => {
    if (tls === undefined || url.secure) return;
    context.addIssue({
      code: 'custom',
      path: ['tls'],
      message: 'expected a URL that starts with amqps://, because tls is set',
    });
  });

/** A parsed connection. Durations in ms, sizes in bytes. */
export type AmqpConfig = z.output<typeof connectionSchema>;
/** What is declared at every connect. */
export type Declarations = AmqpConfig['declare'];

const plainQueue = (name: string): boolean => !/[{}]/.test(name) && name !== '*' && name !== '#';
const manyAtEnd = (key: string): boolean => !key.split('.').slice(0, -1).includes('#');

/** Keys of a route's `from`. */
export const sourceSchema = z.strictObject({
  queue: shortName('queue name')
    .refine(plainQueue, 'expected the name of one queue: a queue cannot be a wildcard or a capture, routingKey can')
    .describe('Queue to consume'),
  routingKey: z
    .string()
    .refine(manyAtEnd, 'expected "#" only as the last word of the routing key')
    .optional()
    .describe(
      'Only messages with such a routing key: "*" matches one word, "#" the rest. Other messages are consumed and acknowledged too',
    ),
  prefetch: prefetch()
    .optional()
    .describe("Overrides the connection's prefetch for this queue; of several values the largest counts"),
  tooLarge: whenTooLarge.optional().describe("Overrides the connection's tooLarge for this queue"),
  dedupe: z
    .enum(['redelivered', 'messageId'])
    .default('redelivered')
    .describe(
      'Which messages are dropped as repeats when message-id, routing key and body occurred within the dedupe window. ' +
        '"redelivered": only those marked as a possible second delivery. "messageId": all, for ' +
        'senders that never give two messages the same message-id',
    ),
});

/** A parsed `from`. */
export type AmqpSource = z.output<typeof sourceSchema>;

/** Keys of a target. */
export const targetSchema = z
  .strictObject({
    queue: z.string().optional().describe('Queue to send to, through the default exchange'),
    exchange: z.string().optional().describe('Exchange to publish to'),
    routingKey: z.string().optional().describe('Routing key; optional for fanout and headers exchanges'),
    persistent: z.boolean().default(true).describe('Whether durable queues keep the message through a broker restart'),
    mandatory: z
      .boolean()
      .default(true)
      .describe('Whether a message that reaches no queue is an error; otherwise it is lost'),
  })
  .refine(
    ({ queue, exchange }) => (queue === undefined) !== (exchange === undefined),
    'expected either queue or exchange',
  )
  .refine(({ queue, routingKey }) => queue === undefined || routingKey === undefined, {
    message: 'expected exchange and routingKey, or queue alone',
    path: ['routingKey'],
  });

/** A parsed target; the defaults are the safe choices. */
export type AmqpTarget = z.output<typeof targetSchema>;
