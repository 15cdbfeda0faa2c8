import { z } from 'zod';

/** Protocol facts of a consumed message, available to expressions as `origin`. */
export const originSchema = z.object({
  queue: z.string().describe('Queue it was consumed from'),
  exchange: z.string().describe('Exchange it was published to; empty for the default exchange'),
  routingKey: z.string().describe('Routing key it was published with'),
  redelivered: z.boolean().describe("The broker's redelivered flag"),
  deliveryTag: z.int().describe('Number of the delivery on its channel'),
  consumerTag: z.string().describe('Consumer that got it'),
  appId: z.string().optional().describe('app-id property: the publishing application'),
  userId: z.string().optional().describe('user-id property: checked by the broker against the login of the publisher'),
  clusterId: z.string().optional().describe('cluster-id property (deprecated)'),
  deliveryMode: z.int().optional().describe('1 transient, 2 persistent'),
  priority: z.int().optional().describe('priority property as sent, 0 to 255'),
  expiration: z.string().optional().describe('expiration property as sent, ms'),
});
