/** Configuration files: reading with positions, checking by the adapters' schemas, showing without secrets. */

export type { Config } from './config.ts';
export { BUILT_IN } from './connections.ts';
export { configJsonSchema } from './export-schema.ts';
export { type JUnitCase, toJUnit } from './junit.ts';
export { type Draft, type Loaded, type LoadOptions, type LoadReport, loadConfig } from './load.ts';
export { redactConfig } from './redact.ts';
export { configReference } from './reference.ts';
export { type ProblemJson, problemsToJson, renderProblems } from './render.ts';
export type { GatewayConfig, HttpConfig } from './schema.ts';
export type { ConfigSource, Location } from './source.ts';
