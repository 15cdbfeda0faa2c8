import { BODY_LIMITS, secretSchema, sizeSchema } from '@magpie/contract';
import { z } from 'zod';

/** Keys of a connection of type `memory`. */
export const connectionSchema = z.strictObject({
  broker: z
    .string()
    .min(1)
    .default('default')
    .describe('Name of the in-process broker; connections with the same name meet.'),
  clientId: z
    .string()
    .min(1)
    .optional()
    .describe('Identity whose unacknowledged messages the broker keeps. Default: gateway id and connection name.'),
  password: secretSchema().optional().describe('Needed when the broker has been told to require one.'),
  fifoWindow: z.int().min(1).max(10_000).default(64).describe('Sends kept in order while unconfirmed.'),
  window: z.int().min(1).max(10_000).default(256).describe('Received messages that may be unacknowledged.'),
  metadata: z
    .boolean()
    .default(true)
    .describe('Whether headers and ids travel with a message; false imitates a protocol that carries only a body.'),
  maxBodyBytes: sizeSchema().default(BODY_LIMITS.default).describe('Largest body, for example "1MiB".'),
});

/** A parsed connection. */
export type MemoryConfig = z.output<typeof connectionSchema>;

/** Keys of a route's `from`. */
export const sourceSchema = z.strictObject({
  channel: z.string().min(1).describe('Channel to receive from; `+` stands for one segment, `#` for the rest.'),
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
  sender: z.string().describe('Client id of the publisher; empty when it was published through the broker’s handle.'),
});
