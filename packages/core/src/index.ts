/** Supervisor, router loop, delivery lanes, health and drain. Knows no protocol. */

export { isSameConnection } from './connections/same-connection.ts';
export { SUPERVISOR_TIMES, type SupervisorTimes } from './connections/supervisor.ts';
export type { DeliveryResult } from './delivery/settlement.ts';
export { createGateway, type GatewayOptions } from './gateway.ts';
export type { DeadLetterEdit, DeadLetters } from './gateway-api.ts';
export * from './gateway-api.ts';
export { type CoreObserver, nullObserver } from './observer.ts';
