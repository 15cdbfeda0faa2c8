import { BODY_FORMS, type BodyForms, durationSchema, isInstant } from '@magpie/contract';
import { z } from 'zod';
import { problemSchema } from '../../http/problems/problem-schema.ts';
import { MOST_LINES } from '../../http/requests/media-types.ts';

const headerValue = z.union([z.string(), z.number(), z.boolean(), z.null()], {
  error: 'expected text, a number, true, false or null',
});
/** The name of a header, with its length limits. */
export const HEADER_NAME: z.ZodString = z.string().min(1).max(255);

/** Headers as apps write them. */
export const headersSchema = z.union(
  [z.record(HEADER_NAME, headerValue), z.array(z.tuple([HEADER_NAME, headerValue]))],
  {
    error: 'expected an object of names and plain values, or a list of [name, value]; a number of many digits as text',
  },
);

const instant = (): z.ZodISODateTime =>
  z.iso
    .datetime({ offset: true, error: 'expected a time such as "2026-01-31T12:00:00Z" (RFC 3339)' })
    .refine((text) => isInstant(Date.parse(text)), 'expected a time within the years 0001 to 9999 in UTC');

/** The three forms of a body. */
export const bodyFields = {
  payload: z.unknown().optional().describe('JSON body.'),
  text: z.string().optional().describe('Text body.'),
  base64: z.base64({ error: 'expected base64 with padding' }).optional().describe('Binary body.'),
} as const;

/** How many forms of a body are given. */
export const givenForms = (forms: { readonly [Form in keyof BodyForms]?: unknown }): number =>
  BODY_FORMS.filter((name) => forms[name] !== undefined).length;

/** Where a message goes and what it carries, before the rules that span several fields. */
export const fields = z.strictObject({
  topic: z
    .string()
    .min(1)
    .optional()
    .describe('Publish to this topic: routes from the connection `http` decide what happens.'),
  to: z
    .looseObject({ connection: z.string().describe('Name of the connection that sends it.') })
    .optional()
    .describe('Send directly: a connection with address and options of its protocol, as in a target of a route.'),
  ...bodyFields,
  contentType: z.string().max(255).optional().describe('Media type of the body; the default depends on its form.'),
  contentEncoding: z.string().max(255).optional().describe('Coding of the body, such as `gzip`.'),
  id: z.string().min(1).max(255).optional().describe('Your own id of the message; not used to recognise repeats.'),
  type: z.string().max(255).optional().describe('Type of the event, in your own terms.'),
  subject: z.string().max(255).optional().describe('Subject of the event, in your own terms.'),
  key: z.string().max(1024).optional().describe('Ordering key; default: the address.'),
  headers: headersSchema.optional().describe('Headers by name, or as a list of pairs when names repeat.'),
  correlationId: z.string().max(65_535).optional().describe('Relates a reply to its request.'),
  replyTo: z.string().optional().describe('Address for replies, such as `topic:answers/7`.'),
  priority: z.int().min(0).max(9).optional().describe('0 to 9; 4 is normal.'),
  retain: z.boolean().optional().describe('Whether the broker keeps it as the last value of its address.'),
  ttl: durationSchema().optional().describe('Lifetime of the message, such as `30s`.'),
  expiresAt: instant().optional().describe('Time after which the message is not delivered.'),
  time: instant().optional().describe('Time of the event; default: now.'),
});

type Fields = z.output<typeof fields>;

const given = (message: Fields, names: readonly (keyof Fields)[]): number =>
  names.filter((name) => message[name] !== undefined).length;

/** A message as apps publish it. */
export const messageSchema = fields
  .refine((message) => given(message, ['topic', 'to']) === 1, 'expected exactly one of topic and to')
  .refine((message) => givenForms(message) === 1, 'expected exactly one of payload, text and base64')
  .refine((message) => given(message, ['ttl', 'expiresAt']) < 2, 'expected at most one of ttl and expiresAt')
  .meta({ id: 'Message' });

/** A message of an app, its fields checked and durations in ms. Made by the validator, read by the publisher. */
export type Message = z.output<typeof messageSchema>;

/** Names of the fields of a message, for the documentation. */
export const messageFields: ReadonlyMap<string, string> = new Map(
  Object.entries(fields.shape).map(([name, schema]) => [name, schema.description ?? '']),
);

/** Most messages of one batch. */
export const LARGEST_BATCH: number = MOST_LINES;

/** A batch before its messages are checked: each is checked separately. */
export const batchSchema = z.array(z.unknown()).min(1).max(LARGEST_BATCH);

/** The body of `POST /v1/messages` as it is documented. */
export const messagesBodySchema = z.union([messageSchema, z.array(messageSchema).min(1).max(LARGEST_BATCH)]);

const ref = z.string().describe('Ref of the event (UUIDv7).');
const position = z.string().describe('Its position in the log.');

/** The answer to one message. */
export const acceptedMessageSchema = z.object({ ref, position }).meta({ id: 'Accepted' });

/** The answer to one message, or to a batch one result per message. */
export const acceptedSchema = z.union([
  acceptedMessageSchema,
  z.object({ results: z.array(z.union([acceptedMessageSchema, z.object({ problem: problemSchema })])) }),
]);

/** A bare key, or one in quotes. */
export const IDEMPOTENCY_KEY = /^(".{1,255}"|[^"].{0,254})$/s;

/** Headers of `POST /v1/messages`. Header names come in lower case. */
export const messageHeadersSchema = z.looseObject({
  'idempotency-key': z
    .string()
    .regex(IDEMPOTENCY_KEY, 'expected 1 to 255 characters, bare or as a string in quotes')
    .optional()
    .describe('Within the dedupe window, a message repeated with the same key is stored once.'),
  traceparent: z.string().optional().describe('Trace the message belongs to (W3C Trace Context).'),
  tracestate: z.string().optional(),
  'magpie-via': z.string().optional().describe('Ids of the gateways passed, comma-separated, for the loop guard.'),
});

/** The request headers that publishing reads. Read by `requestFacts`. */
export type MessageHeaders = z.output<typeof messageHeadersSchema>;
