import { defineAdapter } from '@magpie/contract';
import { access } from './access.ts';
import { channelScheme } from './codec/address.ts';
import { connectionSchema, type MemoryConfig, originSchema, sourceSchema, targetSchema } from './config.ts';
import { createConnection } from './connection.ts';

/** The definition of the in-memory protocol. */
export const memoryAdapter = defineAdapter({
  type: 'memory',
  connectionSchema,
  sourceSchema,
  targetSchema,
  originSchema,
  addresses: [channelScheme],
  kinds: ['message'],
  access,
  capabilities: ({ fifoWindow, metadata, maxBodyBytes }: MemoryConfig) => ({
    receives: true,
    sends: true,
    fifoWindow,
    sendsWhileHeld: true,
    metadata,
    maxBodyBytes,
  }),
  guarantees: {
    source: () => ({
      level: 'at-least-once',
      reason: 'the in-memory broker delivers unacknowledged messages again for as long as the process lives',
    }),
    target: () => ({
      level: 'at-least-once',
      reason: 'the in-memory broker confirms each message once every subscriber’s session has it',
    }),
  },
  create: createConnection,
});
