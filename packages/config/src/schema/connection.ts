import { z } from 'zod';

/** Keys every connection has, whatever its type. */
export const commonSchema = z.object({
  type: z.string().describe('Protocol of the connection.'),
  subscribe: z
    .array(z.record(z.string(), z.unknown()))
    .default([])
    .describe(
      'What to receive besides what the routes ask for, for history and live streams; written like `from` in a route.',
    ),
});
