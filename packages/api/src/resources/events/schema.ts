import { EVENT_KINDS } from '@magpie/contract';
import { z } from 'zod';

const optionalText = z.string().optional();

/** The JSON form of an event. Protocol facts are in `origin`. */
export const eventSchema = z
  .looseObject({
    ref: z.string(),
    id: optionalText,
    source: z.string(),
    address: z.string().describe('As text, `scheme:value`.'),
    kind: z.enum(EVENT_KINDS),
    type: optionalText,
    subject: optionalText,
    key: z.string(),
    time: z.string(),
    receivedAt: z.string(),
    expiresAt: optionalText,
    contentType: optionalText,
    contentEncoding: optionalText,
    payload: z.unknown().optional(),
    text: optionalText,
    base64: optionalText,
    headers: z.array(z.tuple([z.string(), z.unknown()])),
    correlationId: optionalText,
    replyTo: optionalText,
    priority: z.int().optional(),
    retain: z.boolean().optional(),
    redelivered: z.boolean().optional(),
    traceparent: optionalText,
    tracestate: optionalText,
    via: z.array(z.string()),
    origin: z.record(z.string(), z.unknown()),
    bodyUrl: optionalText.describe('URL of the body, when it is too large for a frame of the stream.'),
    bytes: z.int().optional().describe('Size of the body at `bodyUrl`.'),
    unreadable: optionalText.describe('Why the event cannot be shown; this object is then a placeholder.'),
  })
  .meta({ id: 'Event' });

/** An event and its place in the log. */
export const storedEventSchema = z.object({ position: z.string(), event: eventSchema }).meta({ id: 'StoredEvent' });

/** Query of `GET /v1/events`. */
export const eventsQuerySchema = z
  .strictObject({
    connection: z.string().optional().describe('Only events of this connection.'),
    address: z
      .string()
      .optional()
      .describe(
        'Only these addresses: `scheme:value`, or with a connection in the form of its protocol; wildcards are allowed.',
      ),
    kind: z.enum(EVENT_KINDS).optional().describe('Only events of this kind.'),
    after: z.string().optional().describe('Oldest first, after this position or from `earliest`.'),
    before: z.string().optional().describe('Newest first, before this position.'),
    limit: z.coerce.number().int().min(1).max(500).default(50).describe('Maximum number of results.'),
  })
  .refine(
    ({ after, before }) => after === undefined || before === undefined,
    'expected at most one of after and before',
  );

/** One page of history. */
export const eventsPageSchema = z.object({
  events: z.array(storedEventSchema),
  next: optionalText.describe('Position to continue from; absent at the end of the log.'),
});

/** One refused attempt. */
export const attemptSchema = z.object({ at: z.string(), error: z.string(), message: z.string() });

/** The state of one target of a message. */
const targetSchema = z
  .object({
    consumer: z.string().describe('The target as `route/target`.'),
    connection: z.string(),
    state: z
      .enum(['waiting', 'in-flight', 'held', 'blocked', 'confirmed', 'dead', 'bounced', 'expired', 'dropped'])
      .describe(
        '`held`: it, or an earlier one of its key, was refused; `blocked`: it ran out of attempts and waits for an operator.',
      ),
    attempts: z.int(),
    at: optionalText.describe('Time of its end or of the last refusal.'),
    confirmedBy: optionalText.describe('What confirmed it.'),
    nextAttempt: optionalText,
    error: optionalText.describe('The last message from or about the target.'),
    failures: z
      .array(attemptSchema)
      .optional()
      .describe('Refused attempts, oldest first; absent once the delivery is confirmed.'),
  })
  .meta({ id: 'DeliveryStatus' });

/** An event with its outcome at each target. */
export const messageStatusSchema = storedEventSchema.extend({ targets: z.array(targetSchema) });
