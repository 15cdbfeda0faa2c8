import { BODY_LIMITS, secretSchema, sizeSchema } from '@magpie/contract';
import { z } from 'zod';

/** Keys of a connection of type `memory`. */
export const connectionSchema = z.strictObject({
  broker: z
    .string()
    .min(1)
    .default('default')
    .describe('Name of the in-process broker; connections with the same name share it.'),
  clientId: z
    .string()
    .min(1)
    .optional()
    .describe(
      'Client identity; the broker keeps its unacknowledged messages. Default: gateway id and connection name.',
    ),
  password: secretSchema().optional().describe('Password, if the broker requires one.'),
  fifoWindow: z.int().min(1).max(10_000).default(64).describe('Maximum number of unconfirmed messages.'),
  window: z.int().min(1).max(10_000).default(256).describe('Maximum number of unacknowledged received messages.'),
  metadata: z
    .boolean()
    .default(true)
    .describe('Whether headers and ids are carried; false imitates a protocol that carries only a body.'),
  maxBodyBytes: sizeSchema().default(BODY_LIMITS.default).describe('Largest body, for example "1MiB".'),
});

/** A parsed connection. */
export type MemoryConfig = z.output<typeof connectionSchema>;

/** Keys of a route's `from`. */
export const sourceSchema = z.strictObject({
  channel: z.string().min(1).describe('Channel to receive from; `+` matches one segment, `#` the rest.'),
});

/** Keys of a target. */
export const targetSchema = z.strictObject({
  channel: z.string().min(1).describe('Channel to send to.'),
  retain: z
    .boolean()
    .optional()
    .describe('Whether the broker keeps the message as the last value of the channel. Default: as the message says.'),
});

/** Protocol facts of a received message. */
export const originSchema = z.strictObject({
  channel: z.string().describe('The channel as the broker wrote it.'),
  sender: z.string().describe('Client id of the publisher; empty if published through the broker’s handle.'),
});
