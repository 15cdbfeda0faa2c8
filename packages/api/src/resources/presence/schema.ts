import { z } from 'zod';

/** Most entries of one page. */
const MOST = 1000;

/** Query of `GET /v1/presence`. */
export const presenceQuerySchema = z.strictObject({
  connection: z.string().optional().describe('Only what this connection knows of.'),
  address: z.string().optional().describe('Only at this address, in text form; wildcards as in a route.'),
  after: z.string().max(8192).optional().describe('`next` of the page before.'),
  limit: z.coerce.number().int().min(1).max(MOST).default(100),
});

/** How somebody or something is at present. */
export const presenceSchema = z
  .looseObject({
    connection: z.string(),
    address: z.string(),
    key: z.string().describe('Which one of those at the address: a client of a person, an occupant of a room.'),
    available: z.boolean(),
    since: z.string().optional(),
  })
  .describe(
    'How somebody or something is at present; beside `available` what the protocol tells, such as `show` and `status`.',
  )
  .meta({ id: 'Presence' });

/** Answer of `GET /v1/presence`. */
export const presencePageSchema = z.object({
  presence: z.array(presenceSchema),
  next: z.string().optional().describe('Where the next page goes on; missing on the last one.'),
});
