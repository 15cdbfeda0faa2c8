import { z } from 'zod';

const consumer = z.string().describe('The target as `route/target`.');

/** Why nothing is sent to a target. Times are RFC 3339. */
const suspensionSchema = z.object({
  since: z.string(),
  error: z.string().describe('The last error of the target or its link.'),
  nextAttempt: z.string().describe('Latest time of the next probe.'),
});

/** A suspended address of a target whose other addresses work. Times are RFC 3339. */
const placeSchema = z.object({
  place: z.string().describe('Its address.'),
  since: z.string(),
  error: z.string().describe('Its last error.'),
  nextAttempt: z.string().describe('Latest time of the next attempt.'),
  waiting: z.int().describe('Number of waiting deliveries.'),
});

/** The backlog and state of a target. */
export const targetSchema = z
  .object({
    consumer,
    connection: z.string(),
    waiting: z.int().describe('Deliveries in memory that wait to be sent.'),
    held: z.int().describe('Refused deliveries and those held behind them.'),
    blocked: z.int().describe('Deliveries that ran out of attempts and wait for an operator (`then: block`).'),
    inFlight: z.int().describe('Deliveries sent but not yet confirmed.'),
    lagging: z.boolean().describe('Whether more waits in the log than is counted here.'),
    suspended: z.boolean().describe('Set while the target is suspended: only a probe is sent.'),
    suspension: suspensionSchema.optional(),
    limited: z
      .int()
      .optional()
      .describe('Deliveries not sent because of `rate` or `quiet` that are in no summary yet.'),
    quietUntil: z.string().optional().describe('When the quiet hours of the target end, while it has them.'),
    places: z.array(placeSchema).describe('Rooms, queues or topics that are suspended individually.'),
  })
  .meta({ id: 'Target' });

/** A target that is no longer configured. */
export const orphanSchema = z
  .object({
    consumer,
    since: z.string().describe('Since when it is no longer configured.'),
    keptUntil: z.string().describe('Until when its backlog is kept, in case it is configured again.'),
    backlog: z.boolean().describe('Whether deliveries wait for it.'),
  })
  .meta({ id: 'Orphan' });

/** Answer of `GET /v1/targets`. */
export const targetsSchema = z.object({ targets: z.array(targetSchema), orphans: z.array(orphanSchema) });

/** The deliveries a decision applies to; without a key, those that ran out of attempts and block their lanes. */
export const selectionSchema = z.strictObject({
  ref: z.string().max(64).optional().describe('Only the delivery of this event.'),
  lane: z.string().max(4096).optional().describe('Only deliveries with this ordering key.'),
  place: z.string().max(4096).optional().describe('Only deliveries to this address, as in the list of targets.'),
});

/** Answer to a decision about deliveries. */
export const decidedSchema = z.object({ deliveries: z.int().describe('Number of affected deliveries.') });
