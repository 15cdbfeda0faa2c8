import { DEAD_LETTER_REASONS } from '@magpie/bus';
import { z } from 'zod';
import { attemptSchema, eventSchema } from '../events/schema.ts';
import { bodyFields, givenForms, headersSchema } from '../messages/schema.ts';

const reason = z.enum(DEAD_LETTER_REASONS);
const consumer = z.string().describe('Its target, as `route/target`.');

const time = z.iso
  .datetime({ offset: true, error: 'expected a time such as 2026-01-31T08:00:00Z' })
  .transform((text) => Date.parse(text));

/** The dead letters an operation applies to; without a condition: all. */
const selection = z.strictObject({
  consumer: consumer.optional(),
  reason: reason.optional().describe('Only those with this reason.'),
  since: time.optional().describe('Only those that failed at or after this time.'),
  until: time.optional().describe('Only those that failed before this time.'),
  source: z.string().max(255).optional().describe('Only those of events from this connection.'),
  ref: z.string().max(64).optional().describe('Only those of this event.'),
});

/** Query of `GET /v1/dead-letters`. */
export const deadLettersQuerySchema = selection.extend({
  after: z.string().max(64).optional().describe('Only those after this id; the order is oldest first.'),
  limit: z.coerce.number().int().min(1).max(200).default(50).describe('Maximum number of results.'),
});

/** Body of `POST /v1/dead-letters/drop`. */
export const dropSchema = selection.meta({ id: 'DeadLetterSelection' });

/** Body of `POST /v1/dead-letters/retry`. */
export const retrySchema = selection.extend({
  rate: z.number().min(0.1).max(1000).default(10).describe('Retries per second.'),
});

/** Body of `POST /v1/dead-letters/{id}/retry`: changes to the message; optional. */
export const editSchema = z
  .strictObject({
    ...bodyFields,
    contentType: z.string().max(255).optional().describe('Media type of the body; the default depends on its form.'),
    headers: headersSchema
      .optional()
      .describe('Headers that replace the existing ones: by name, or as a list of pairs.'),
  })
  .refine((edit) => givenForms(edit) <= 1, 'expected at most one of payload, text and base64')
  .meta({ id: 'DeadLetterEdit' });

/** An operator's checked changes to a dead letter. Read by the retry resource. */
export type DeadLetterEditBody = z.output<typeof editSchema>;

const summary = z.object({
  id: z.string(),
  at: z.string().describe('Time of the failure.'),
  consumer: consumer.optional(),
  reason,
  error: z.string().describe('Class of the last error.'),
  message: z.string().describe('Message of the last error.'),
  attempts: z.int().describe('Number of refused attempts.'),
  ref: z.string().describe('Ref of the event.'),
  source: z.string().describe('Connection the event came from.'),
  address: z.string().describe('Source address of the event, as text.'),
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
  .describe('The message as rendered for the target, if that was possible.');

/** One page of dead letters. */
export const deadLettersSchema = z.object({
  deadLetters: z.array(summary.meta({ id: 'DeadLetterSummary' })),
  next: z
    .string()
    .optional()
    .describe('Id to continue after; absent at the end. A page may have fewer entries than the limit.'),
  retrying: z
    .int()
    .describe('Number of dead letters that a running retry still has to process; 0 for who may not read everything.'),
});

/** A dead letter in full. */
export const deadLetterSchema = summary
  .extend({
    attempts: z.array(attemptSchema).describe('Every refused attempt, oldest first.'),
    position: z.string().optional().describe('Position of the event in the log.'),
    event: eventSchema,
    rendered: rendered.optional(),
  })
  .meta({ id: 'DeadLetter' });

/** Answer to the retry of one dead letter: the event being retried. */
export const retriedSchema = z.object({ id: z.string(), ref: z.string() });

/** Answer to the retry of several dead letters. */
export const retryingSchema = z.object({
  matched: z.int().describe('Number of matching dead letters.'),
  skipped: z
    .int()
    .describe(
      'Number of those that cannot be retried: their target is no longer configured, or they never entered the log.',
    ),
});

/** Answer to the deletion of several dead letters. */
export const droppedSchema = z.object({ dropped: z.int() });
