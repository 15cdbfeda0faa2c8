import { type AddressScheme, type Connection, defineAdapter, pathScheme, Rejected } from '@magpie/contract';
import { z } from 'zod';

const connectionSchema = z.strictObject({});

const sourceSchema = z.strictObject({
  topic: z.string().min(1).describe('Topic that apps publish to; `+` stands for one segment, `#` for the rest.'),
});

/** A target on this connection is refused, whatever it says. */
const targetSchema = z.strictObject({});

const originSchema = z.strictObject({
  principal: z.string().optional().describe('Id of the key the app used.'),
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
    metadata: true,
    maxBodyBytes: Number.MAX_SAFE_INTEGER,
  }),
  guarantees: { source: () => guarantee, target: () => guarantee },
  create: () => noLink,
});

const nothing = async (): Promise<void> => undefined;

/** There is no link to keep: the HTTP server is where the events come from. */
const noLink: Connection = {
  connect: nothing,
  receive: nothing,
  probe: nothing,
  quiesce: nothing,
  close: nothing,
  send: async () => {
    throw new Rejected('the connection "http" cannot send: apps read events by /v1/stream or /v1/events');
  },
};
