import { z } from 'zod';

/** Keys every connection has, whatever its type. */
export const commonSchema = z.object({
  type: z.string().describe('Protocol of the connection.'),
  subscribe: z
    .array(z.record(z.string(), z.unknown()))
    .default([])
    .describe(
      'Further addresses to receive, besides those that routes use, for history and live streams. Written like `from` in a route.',
    ),
});
