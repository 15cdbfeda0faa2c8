/** Supervisor, router loop, delivery lanes, health and drain. Knows no protocol. */

export { createGateway, type GatewayOptions } from './gateway.ts';
export { type CoreObserver, nullObserver } from './observer.ts';
export { isSameConnection } from './same-connection.ts';
export type { DeliveryResult } from './settlement.ts';
export { SUPERVISOR_TIMES, type SupervisorTimes } from './supervisor.ts';
export type { DeadLetterEdit, DeadLetters } from './types.ts';
export * from './types.ts';
