import { durationSchema } from '@magpie/contract';
import { z } from 'zod';

const SHORTEST_MS = 100;
const LONGEST_MS = 86_400_000;

/** What a route or target says about its rate. */
export const rateKeys = z
  .strictObject({
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
  })
  .describe(
    'Most messages in a window of time for each place of the target (each room, topic, queue). What exceeds it ends as `dropped`, and is counted in the summary',
  );

/** Keys of a route and of a target about what is not sent, or later. Those of the target replace the route's; null removes. */
export const pacingKeys = {
  rate: rateKeys.nullable().optional(),
};

/** `rate` as written, durations in ms. */
export type RateKeys = z.output<typeof rateKeys>;

/** What a route or a target says about pacing. Read by the compiler of targets. */
export interface PacingKeys {
  readonly rate?: RateKeys | null | undefined;
}

/** Names of the keys of {@link pacingKeys}. */
export const PACING_KEYS = ['rate'] as const;
