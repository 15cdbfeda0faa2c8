/** Supervisor, router loop, delivery lanes, health and drain. Knows no protocol. */
export * from './types.ts';
