import { type AddressScheme, type Connection, defineAdapter, pathScheme, Rejected } from '@magpie/contract';
import { z } from 'zod';

const connectionSchema = z.strictObject({});

const sourceSchema = z.strictObject({
  topic: z.string().min(1).describe('Topic that apps publish to; `+` matches one segment, `#` the rest.'),
});

/** Targets on this connection are refused, whatever their keys. */
const targetSchema = z.strictObject({});

const originSchema = z.strictObject({
  principal: z.string().optional().describe('Who sent it, such as `key:web-app`.'),
  idempotencyKey: z.string().optional().describe('The `Idempotency-Key` of the request.'),
  remoteAddress: z.string().optional().describe('IP address the request came from.'),
});

const LONGEST_TOPIC = 65_535;

/** Topics of apps: `plant/p7/alarm`. */
export const topicScheme: AddressScheme = pathScheme({
  scheme: 'topic',
  word: 'topic',
  separator: '/',
  one: '+',
  many: '#',
  maxBytes: LONGEST_TOPIC,
});

const guarantee = { level: 'at-least-once', reason: 'HTTP 202 is answered after the event is on disk' } as const;

/** The built-in connection `http`: events that apps publish by REST. It only receives; apps read by stream or history. */
export const httpAdapter = defineAdapter({
  type: 'http',
  builtIn: true,
  connectionSchema,
  sourceSchema,
  targetSchema,
  originSchema,
  addresses: [topicScheme],
  kinds: ['message'],
  capabilities: () => ({
    receives: true,
    sends: false,
    fifoWindow: 1,
    sendsWhileHeld: true,
    holdsPerMessage: true,
    metadata: true,
    maxBodyBytes: Number.MAX_SAFE_INTEGER,
  }),
  guarantees: { source: () => guarantee, target: () => guarantee },
  create: () => noLink,
});

const nothing = async (): Promise<void> => undefined;

/** There is no link: events come through the HTTP server. */
const noLink: Connection = {
  connect: nothing,
  receive: nothing,
  probe: nothing,
  quiesce: nothing,
  close: nothing,
  send: async () => {
    throw new Rejected('the connection "http" cannot send: apps read events from /v1/stream or /v1/events');
  },
};
