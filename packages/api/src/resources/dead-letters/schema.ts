import { DEAD_LETTER_REASONS } from '@magpie/bus';
import { z } from 'zod';
import { attemptSchema, eventSchema } from '../events/schema.ts';
import { bodyFields, givenForms, headersSchema } from '../messages/schema.ts';

const reason = z.enum(DEAD_LETTER_REASONS);
const consumer = z.string().describe('The target it was for, as `route/target`.');

const time = z.iso
  .datetime({ offset: true, error: 'expected a time such as 2026-01-31T08:00:00Z' })
  .transform((text) => Date.parse(text));

/** Which dead letters an operation is about; none given: all. */
const selection = z.strictObject({
  consumer: consumer.optional(),
  reason: reason.optional().describe('Only those that ended for this reason.'),
  since: time.optional().describe('Only those that ended at this time or later.'),
  until: time.optional().describe('Only those that ended before this time.'),
  source: z.string().max(255).optional().describe('Only those of events from this connection.'),
  ref: z.string().max(64).optional().describe('Only those of this event.'),
});

/** Query of `GET /v1/dead-letters`. */
export const deadLettersQuerySchema = selection.extend({
  after: z.string().max(64).optional().describe('Only those after this id; older ones come first.'),
  limit: z.coerce.number().int().min(1).max(200).default(50).describe('How many at most.'),
});

/** Body of `POST /v1/dead-letters/drop`. */
export const dropSchema = selection.meta({ id: 'DeadLetterSelection' });

/** Body of `POST /v1/dead-letters/retry`. */
export const retrySchema = selection.extend({
  rate: z.number().min(0.1).max(1000).default(10).describe('How many per second.'),
});

/** Body of `POST /v1/dead-letters/{id}/retry`: what to change first; without one nothing. */
export const editSchema = z
  .strictObject({
    ...bodyFields,
    contentType: z.string().max(255).optional().describe('Media type of the body; default by its form.'),
    headers: headersSchema.optional().describe('Headers instead of those it has: by name, or as a list of pairs.'),
  })
  .refine((edit) => givenForms(edit) <= 1, 'expected at most one of payload, text and base64')
  .meta({ id: 'DeadLetterEdit' });

/** What an operator changes in a dead letter, checked. Read by the resource that retries one. */
export type DeadLetterEditBody = z.output<typeof editSchema>;

const summary = z.object({
  id: z.string(),
  at: z.string().describe('When it ended.'),
  consumer: consumer.optional(),
  reason,
  error: z.string().describe('Class of the last error.'),
  message: z.string().describe('The last error in words.'),
  attempts: z.int().describe('How many attempts were refused.'),
  ref: z.string().describe('Ref of the event.'),
  source: z.string().describe('Connection the event came from.'),
  address: z.string().describe('Where the event came from, as text.'),
});

const rendered = z
  .looseObject({
    to: z.string().describe('Address it was sent to, as text.'),
    options: z.unknown().describe('Options of the target.'),
    headers: eventSchema.shape.headers,
    payload: z.unknown().optional(),
    text: z.string().optional(),
    base64: z.string().optional(),
  })
  .describe('The message as it was made for the target, when it could be made.');

/** One page of dead letters. */
export const deadLettersSchema = z.object({
  deadLetters: z.array(summary.meta({ id: 'DeadLetterSummary' })),
  next: z.string().optional().describe('Id to continue after; absent at the end. A page may be short of the limit.'),
  retrying: z.int().describe('How many a retry of several still has before it.'),
});

/** A dead letter with all that is known of it. */
export const deadLetterSchema = summary
  .extend({
    attempts: z.array(attemptSchema).describe('Every refused attempt, the oldest first.'),
    position: z.string().optional().describe('Where the event stands or stood in the log.'),
    event: eventSchema,
    rendered: rendered.optional(),
  })
  .meta({ id: 'DeadLetter' });

/** Answer to a retry of one: the event that is tried again. */
export const retriedSchema = z.object({ id: z.string(), ref: z.string() });

/** Answer to a retry of several. */
export const retryingSchema = z.object({
  matched: z.int().describe('How many fit.'),
  skipped: z
    .int()
    .describe('How many of them stay as they are: their target is configured no more, or they never entered the log.'),
});

/** Answer to a drop of several. */
export const droppedSchema = z.object({ dropped: z.int() });
