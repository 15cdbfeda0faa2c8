import { CONNECTION_STATES } from '@magpie/core';
import { z } from 'zod';

/** The state of a connection. Times are RFC 3339. */
export const connectionSchema = z
  .object({
    name: z.string(),
    type: z.string(),
    state: z.enum(CONNECTION_STATES).describe('`up` means a recent successful round trip.'),
    since: z.string(),
    lastRoundTrip: z.object({ at: z.string(), ms: z.number() }).optional(),
    error: z.object({ code: z.string(), message: z.string(), at: z.string() }).optional(),
    alarm: z.string().optional().describe('Needs a human.'),
    attempts: z.int(),
    nextAttempt: z.string().optional(),
    counters: z.record(z.string(), z.number()),
    details: z.record(z.string(), z.string()).describe('States of parts as the adapter reports them.'),
    troubled: z.array(z.string()).describe('Parts that do not work as configured; `details` says why.'),
  })
  .meta({ id: 'Connection' });

/** Answer of `GET /v1/connections`. */
export const connectionsSchema = z.object({ connections: z.array(connectionSchema) });
