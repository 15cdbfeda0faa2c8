/** Connections, intake, router, delivery queues, health and shutdown. Knows no protocol. */

export { planChanges } from './connections/plan-changes.ts';
export { SUPERVISOR_TIMES, type SupervisorTimes } from './connections/supervisor.ts';
export { createGateway } from './gateway.ts';
export * from './gateway-api/index.ts';
export { type CoreObserver, type DeliveryResult, nullObserver } from './observer.ts';
export type { GatewayOptions } from './pipeline.ts';
