import { durationSchema } from '@magpie/contract';
import { z } from 'zod';

const SHORTEST_MS = 100;
const LONGEST_MS = 86_400_000;

/** What a route or target says about its rate. */
export const rateKeys = z.strictObject({
  max: z.number().int().min(1).max(1_000_000).describe('Most messages that a place gets in one window'),
  per: durationSchema()
    .refine((ms) => ms >= SHORTEST_MS && ms <= LONGEST_MS, { error: 'expected a duration from 100ms to 24h' })
    .describe('Length of a window; it begins with its first message'),
  summary: z
    .string()
    .optional()
    .describe(
      'Text of the one message, at the end of the window, about what exceeded `max`; a template with `count` and a list for each capture, named by its plural: `devices` for `device`. Without it what exceeds `max` is dropped',
    ),
});

const timeOfDay = z.string().regex(/^(?:[01]\d|2[0-3]):[0-5]\d$/, 'expected a time of day from "00:00" to "23:59"');

/** Names of the days, in the order in which they are counted. */
export const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const;

/** What a route or target says about quiet hours. */
export const quietKeys = z
  .strictObject({
    from: timeOfDay.describe('Time of day at which they begin'),
    to: timeOfDay.describe('Time of day at which they end; on the next day when it is before `from`'),
    timeZone: z.string().optional().describe('Zone of the times, such as "Europe/Berlin"; default that of the machine'),
    days: z.array(z.enum(DAYS)).min(1).optional().describe('Days on which they begin; default every day'),
    then: z
      .enum(['hold', 'drop', 'summary'])
      .default('hold')
      .describe(
        '`hold` sends what came in them afterwards, in order; `drop` drops it; `summary` drops it and sends one message about it to each place afterwards',
      ),
    summary: z
      .string()
      .optional()
      .describe('Text of that message with `then: summary`; a template with the names of `rate.summary`'),
    unless: z
      .string()
      .optional()
      .describe(
        'Condition (CEL) of messages that are sent all the same. They keep an order of their own and overtake what is held',
      ),
  })
  .refine(({ from, to }) => from !== to, { path: ['to'], error: 'expected another time than "from"' })
  .refine((keys) => keys.then !== 'summary' || keys.summary !== undefined, {
    path: ['summary'],
    error: 'expected the text of the summary, for "then: summary"',
  })
  .refine((keys) => keys.then === 'summary' || keys.summary === undefined, {
    path: ['summary'],
    error: 'expected no summary without "then: summary"',
  });

/** Keys of a route and of a target about what is not sent, or later. Those of the target replace the route's; null removes. */
export const pacingKeys = {
  rate: rateKeys
    .nullable()
    .optional()
    .describe(
      'Most messages in a window of time for each place of the target (each room, topic, queue). What exceeds it ends as `dropped`, and is counted in the summary; null: no limit',
    ),
  onlyOnChange: z
    .union([z.boolean(), z.string()])
    .nullable()
    .optional()
    .describe(
      'Sends a message only when it differs from the last one that its place got with the same ordering key; others end as `dropped`. Compared is what this template makes, such as "${payload.state}"; with `true` the body and the options as they are sent',
    ),
  quiet: quietKeys.nullable().optional().describe('Hours in which the target gets nothing; null: none'),
};

/** `rate` as written, durations in ms. */
export type RateKeys = z.output<typeof rateKeys>;
/** `quiet` as written. */
export type QuietKeys = z.output<typeof quietKeys>;

/** What a route or a target says about pacing. Read by the compiler of targets. */
export interface PacingKeys {
  readonly rate?: RateKeys | null | undefined;
  readonly onlyOnChange?: boolean | string | null | undefined;
  readonly quiet?: QuietKeys | null | undefined;
}

/** Names of the keys of {@link pacingKeys}. */
export const PACING_KEYS = ['rate', 'onlyOnChange', 'quiet'] as const;
