export { MAPPING } from './codec/mapping.ts';
export type { AmqpConfig, AmqpSource, AmqpTarget } from './config.ts';
export { amqpAdapter } from './definition.ts';
