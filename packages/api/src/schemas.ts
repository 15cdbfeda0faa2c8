import { durationSchema, EVENT_KINDS } from '@magpie/contract';
import { z } from 'zod';

const header = z.union([z.string(), z.number(), z.boolean(), z.null()]);

const headers = z
  .union([z.record(z.string().min(1), header), z.array(z.tuple([z.string().min(1), header]))])
  .describe('Headers by name, or as a list of pairs when names repeat.');

/** A message as apps publish it. */
export const messageSchema = z
  .strictObject({
    topic: z
      .string()
      .min(1)
      .optional()
      .describe('Publish to this topic; routes from the connection "http" decide what happens.'),
    to: z
      .looseObject({ connection: z.string().describe('Name of the connection to send by.') })
      .optional()
      .describe('Send directly: a connection and the words of its protocol, such as { connection, room }.'),
    payload: z.unknown().optional().describe('JSON body.'),
    text: z.string().optional().describe('Text body.'),
    base64: z.base64().optional().describe('Binary body.'),
    contentType: z.string().max(255).optional().describe('Media type of the body; default by its form.'),
    id: z.string().min(1).max(255).optional().describe('Your own id of the message.'),
    type: z.string().max(255).optional().describe('What kind of thing happened.'),
    subject: z.string().max(255).optional().describe('What it is about.'),
    key: z.string().max(1024).optional().describe('Ordering key; default the topic.'),
    headers: headers.optional(),
    correlationId: z.string().max(65_535).optional().describe('Ties an answer to its question.'),
    replyTo: z.string().optional().describe('Where an answer is expected, as address text such as "topic:answers/7".'),
    priority: z.int().min(0).max(9).optional().describe('0 to 9, 4 is normal.'),
    retain: z.boolean().optional().describe('Whether it is to become the last value of its address.'),
    ttl: durationSchema().optional().describe('How long the message is worth anything, such as "30s".'),
    expiresAt: z.iso.datetime({ offset: true }).optional().describe('Until when the message is worth anything.'),
    time: z.iso.datetime({ offset: true }).optional().describe('When it happened; default now.'),
  })
  .refine(({ topic, to }) => (topic === undefined) !== (to === undefined), {
    message: 'expected exactly one of topic and to',
  })
  .refine(
    (message) => ['payload', 'text', 'base64'].filter((form) => message[form as 'text'] !== undefined).length === 1,
    {
      message: 'expected exactly one of payload, text and base64',
    },
  );

export type Message = z.output<typeof messageSchema>;

/** Query of `GET /v1/events`. */
export const eventsQuerySchema = z.strictObject({
  connection: z.string().optional().describe('Only events of this connection.'),
  address: z
    .string()
    .optional()
    .describe('Only these addresses: scheme:value, or with a connection in its own words; wildcards work.'),
  kind: z.enum(EVENT_KINDS).optional().describe('Only events of this kind.'),
  after: z.string().optional().describe('Oldest first, after this position.'),
  before: z.string().optional().describe('Newest first, before this position.'),
  limit: z.coerce.number().int().min(1).max(500).default(50).describe('How many at most.'),
});

const subscription = z.string().min(1).max(64).describe('Your name for the subscription.');

/** Frames an app sends on `/v1/stream`. */
export const clientFrameSchema = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('subscribe'),
    id: subscription,
    connection: z.string().optional(),
    address: z.string().optional(),
    kinds: z.array(z.enum(EVENT_KINDS)).min(1).optional(),
    after: z.string().optional(),
    credit: z.int().min(0).max(100_000).optional(),
  }),
  z.strictObject({ type: z.literal('credit'), id: subscription, credit: z.int().min(1).max(100_000) }),
  z.strictObject({ type: z.literal('unsubscribe'), id: subscription }),
  z.strictObject({ type: z.literal('ack'), id: subscription, position: z.string() }),
  z.strictObject({ type: z.literal('ping') }),
]);

export type ClientFrame = z.output<typeof clientFrameSchema>;
