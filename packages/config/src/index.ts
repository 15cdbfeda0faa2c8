/** Configuration files: reading with positions, checking by the adapters' schemas, showing without secrets. */

export type { Config } from './config.ts';
export type { ConfigSource, Location } from './document/source.ts';
export { configJsonSchema } from './export/editor-schema.ts';
export { configReference } from './export/reference-page.ts';
export { type Draft, type Loaded, type LoadOptions, type LoadReport, loadConfig } from './load.ts';
export type { GatewayConfig } from './schema/gateway.ts';
export type { HttpConfig } from './schema/http.ts';
export { RESTART_KEYS } from './schema/restart-keys.ts';
export { type ProblemJson, problemsToJson, renderProblems } from './show/problems.ts';
export { redactConfig } from './show/redact.ts';
