import { z } from 'zod';

const consumer = z.string().describe('The target as `route/target`.');

/** Why nothing is sent to a target. Times are RFC 3339. */
const suspensionSchema = z.object({
  since: z.string(),
  error: z.string().describe('What the target or its link said last.'),
  nextAttempt: z.string().describe('When it is probed next, at the latest.'),
});

/** A place that takes nothing while others of the target do. Times are RFC 3339. */
const placeSchema = z.object({
  place: z.string().describe('Its address.'),
  since: z.string(),
  error: z.string().describe('What it said last.'),
  nextAttempt: z.string().describe('When it is tried next, at the latest.'),
  waiting: z.int().describe('Deliveries that wait for it.'),
});

/** What a target has before it. */
export const targetSchema = z
  .object({
    consumer,
    connection: z.string(),
    waiting: z.int().describe('Deliveries in memory that are to be sent.'),
    held: z.int().describe('Refused deliveries and those held behind them.'),
    blocked: z.int().describe('Refused deliveries that are out of attempts and wait for an operator (`then: block`).'),
    inFlight: z.int().describe('Sent and not confirmed yet.'),
    lagging: z.boolean().describe('More waits in the log.'),
    suspended: z.boolean().describe('The target is out: only a probe is sent.'),
    suspension: suspensionSchema.optional(),
    places: z.array(placeSchema).describe('Rooms, queues or topics that are suspended by themselves.'),
  })
  .meta({ id: 'Target' });

/** A target that is configured no more. */
export const orphanSchema = z
  .object({
    consumer,
    since: z.string().describe('When it was found to be configured no more.'),
    keptUntil: z.string().describe('Until then its backlog is kept in case it comes back.'),
    backlog: z.boolean().describe('Whether anything waits for it.'),
  })
  .meta({ id: 'Orphan' });

/** Answer of `GET /v1/targets`. */
export const targetsSchema = z.object({ targets: z.array(targetSchema), orphans: z.array(orphanSchema) });

/** Which deliveries a decision is about; without a key, those that are out of attempts and hold their lanes. */
export const selectionSchema = z.strictObject({
  ref: z.string().max(64).optional().describe('The delivery of this event.'),
  lane: z.string().max(4096).optional().describe('The deliveries with this ordering key.'),
  place: z
    .string()
    .max(4096)
    .optional()
    .describe('The deliveries that wait for this place, as the list of targets names it.'),
});

/** Answer to a decision about deliveries. */
export const decidedSchema = z.object({ deliveries: z.int().describe('How many deliveries that is about.') });
