import { type Capabilities, defineAdapter, type Guarantee } from '@magpie/contract';
import { exchangeScheme, queueScheme } from './codec/address.ts';
import { MAPPING } from './codec/mapping.ts';
import { originSchema } from './codec/origin.ts';
import {
  type AmqpConfig,
  type AmqpSource,
  type AmqpTarget,
  connectionSchema,
  sourceSchema,
  targetSchema,
} from './config.ts';
import { createConnection } from './connection.ts';

/** Maximum number of unconfirmed sends; the broker confirms in batches, so a wide window saves round trips. */
const FIFO_WINDOW = 1000;

/** AMQP 0-9-1, for RabbitMQ. */
export const amqpAdapter = defineAdapter({
  type: 'amqp',
  connectionSchema,
  sourceSchema,
  targetSchema,
  originSchema,
  addresses: [queueScheme, exchangeScheme],
  kinds: ['message'],
  capabilities: ({ maxBodyBytes }: AmqpConfig): Capabilities => ({
    receives: true,
    sends: true,
    fifoWindow: FIFO_WINDOW,
    sendsWhileHeld: true,
    // Each queue is consumed on a channel of its own, with its own prefetch.
    holdsPerPlace: true,
    metadata: true,
    maxBodyBytes: maxBodyBytes,
  }),
  guarantees: {
    source: ({ declare }: AmqpConfig, { queue }: AmqpSource): Guarantee =>
      declare.queues.some(({ name, arguments: more }) => name === queue && more['x-queue-type'] === 'stream')
        ? {
            level: 'at-most-once',
            reason: `queue "${queue}" is declared as a stream; the gateway cannot consume streams`,
          }
        : SOURCE,
    target: (_: AmqpConfig, target: AmqpTarget): Guarantee => targetGuarantee(target),
  },
  placeOf: ({ queue }: AmqpSource) => queue,
  guide: { title: 'AMQP 0-9-1', columns: { amqp: 'AMQP 0-9-1' }, mapping: MAPPING },
  create: createConnection,
});

const SOURCE: Guarantee = {
  level: 'at-least-once',
  reason: 'a message is acknowledged after it is stored; until then the broker delivers it again',
};

/** Only a persistent, mandatory message is sure to be kept; see `guarantees`. */
export function targetGuarantee({ persistent, mandatory }: AmqpTarget): Guarantee {
  if (!persistent) return { level: 'at-most-once', reason: 'persistent: false, a broker restart loses the message' };
  if (!mandatory) return { level: 'at-most-once', reason: 'mandatory: false, a message that reaches no queue is lost' };
  return {
    level: 'at-least-once',
    reason: 'the broker confirms a message once it is safe, and returns it when it reaches no queue',
  };
}
