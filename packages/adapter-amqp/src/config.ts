import { tlsSchema } from '@magpie/adapter-kit';
import { BODY_LIMITS, durationSchema, Secret, secretSchema, sizeSchema } from '@magpie/contract';
import { z } from 'zod';

/** Where the broker is, taken apart so that no text with a password is kept. */
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
      context.addIssue({ code: 'custom', message: `expected ${URL_EXPECTED}: ${endpoint}` });
    return typeof endpoint === 'string' ? z.NEVER : endpoint;
  })
  .meta({ expected: URL_EXPECTED });

/** The parts of a broker URL, or what is wrong with it; the sentence never repeats the URL, it may hold a password. */
function parseEndpoint(text: string): Endpoint | string {
  const url = URL.parse(text);
  if (!url) return 'this is not a URL';
  const { protocol, hostname, username, password, pathname } = url;
  if (protocol !== 'amqp:' && protocol !== 'amqps:') return `the scheme is "${protocol}//"`;
  if (hostname === '') return 'the host is missing';
  if (url.search !== '' || url.hash !== '')
    return 'parameters after "?" are keys of the connection here, such as heartbeat';
  if (!decodable(username, password, pathname)) return 'a "%" that is not followed by two hexadecimal digits';
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
    return false; // The caller turns this into a sentence.
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
  autoDelete: z.boolean().default(false).describe('Whether the exchange goes away with its last binding'),
  arguments: argumentsSchema,
});

const bindingSchema = z.strictObject({
  exchange: shortName('exchange name').describe('Exchange to take messages from'),
  routingKey: z.string().default('#').describe('Binding key; "*" is one word, "#" any number of words'),
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
    'Exchanges and queues to create on connecting. What exists with other properties is an error, never changed',
  );

const seconds = (text: string, least: number, most: number) =>
  durationSchema()
    .refine((ms) => ms >= least && ms <= most, `expected a duration from ${least / 1000}s to ${most / 1000}s`)
    .prefault(text);

const prefetch = () => z.int().min(1).max(65_535);

const whenTooLarge = z
  .enum(['reject', 'hold'])
  .describe(
    'What becomes of a received message of more than 16 MiB. "reject": without requeue, so that the dead-letter ' +
      'exchange of the queue takes it; without one the broker drops it. "hold": it stays unacknowledged and takes up prefetch',
  );
/** What becomes of a received message that is too large to be kept. */
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
        'User name; takes precedence over the one in the url. Default: with a client certificate none, the broker takes ' +
          'the name from it (SASL EXTERNAL); else guest',
      ),
    password: secretSchema().optional().describe('Password; takes precedence over the one in the url'),
    tls: tlsSchema({}).optional().describe('TLS of an amqps:// URL.'),
    heartbeat: seconds('10s', 1000, 3_600_000).describe(
      'Heartbeat interval; a silent broker is noticed after two to three',
    ),
    prefetch: prefetch()
      .default(1000)
      .describe('Most messages of one queue that may be with the gateway unacknowledged'),
    confirmTimeout: seconds('60s', 1000, 3_600_000).describe(
      "Longest wait for the broker's confirmation of one message",
    ),
    frameMax: z.int().min(4096).max(16_777_216).default(131_072).describe('Largest frame in bytes'),
    maxBodyBytes: sizeSchema()
      .refine((bytes) => bytes <= BODY_LIMITS.max, `expected at most ${BODY_LIMITS.max / 2 ** 20}MiB`)
      .prefault(`${BODY_LIMITS.max / 2 ** 20}MiB`)
      .describe('Largest body that is sent'),
    tooLarge: whenTooLarge.default('reject'),
    declare: declareSchema,
  })
  .superRefine(({ url, tls }, context) => {
    if (tls === undefined || url.secure) return;
    context.addIssue({ code: 'custom', path: ['tls'], message: 'tls needs a URL that starts with amqps://' });
  });

/** A parsed connection. Durations in ms, sizes in bytes. */
export type AmqpConfig = z.output<typeof connectionSchema>;
/** What is declared at every connect. */
export type Declarations = AmqpConfig['declare'];

const plainQueue = (name: string): boolean => !/[{}]/.test(name) && name !== '*' && name !== '#';
const manyAtEnd = (key: string): boolean => !key.split('.').slice(0, -1).includes('#');

/** Native words and options of a route's `from`. */
export const sourceSchema = z.strictObject({
  queue: shortName('queue name')
    .refine(plainQueue, 'expected the name of one queue: a queue cannot be a wildcard or a capture, routingKey can')
    .describe('Queue to consume'),
  routingKey: z
    .string()
    .refine(manyAtEnd, 'expected "#" only as the last word of the routing key')
    .optional()
    .describe(
      'Only messages with such a routing key: "*" is one word, "#" the rest. The others are taken and acknowledged too',
    ),
  prefetch: prefetch()
    .optional()
    .describe("Overrides the connection's prefetch for this queue; the largest of several counts"),
  tooLarge: whenTooLarge.optional().describe("Overrides the connection's tooLarge for this queue"),
  dedupe: z
    .enum(['redelivered', 'messageId'])
    .default('redelivered')
    .describe(
      'Which messages are dropped when their message-id, routing key and body are known within the dedupe window. ' +
        '"redelivered": those the broker or a gateway marks as a possible second delivery. "messageId": all, for ' +
        'senders that never give two messages the same message-id',
    ),
});

/** A parsed `from`. */
export type AmqpSource = z.output<typeof sourceSchema>;

/** Native words and options of a target. */
export const targetSchema = z
  .strictObject({
    queue: z.string().optional().describe('Queue to send to, through the default exchange'),
    exchange: z.string().optional().describe('Exchange to publish to'),
    routingKey: z.string().optional().describe('Routing key; may be left out for fanout and headers exchanges'),
    persistent: z.boolean().default(true).describe('Whether durable queues keep the message through a broker restart'),
    mandatory: z.boolean().default(true).describe('Whether a message that no queue takes is an error instead of lost'),
  })
  .refine(
    ({ queue, exchange }) => (queue === undefined) !== (exchange === undefined),
    'expected either queue or exchange',
  )
  .refine(({ queue, routingKey }) => queue === undefined || routingKey === undefined, {
    message: 'routingKey belongs to an exchange: use exchange and routingKey, or queue alone',
    path: ['routingKey'],
  });

/** A parsed target; what is not said is safe. */
export type AmqpTarget = z.output<typeof targetSchema>;
