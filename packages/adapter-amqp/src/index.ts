export type { AmqpConfig, AmqpSource, AmqpTarget } from './config.ts';
export { amqpAdapter } from './definition.ts';
export { MAPPING, type MappingRow } from './mapping.ts';
