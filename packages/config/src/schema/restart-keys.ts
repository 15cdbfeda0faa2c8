import { type JsonSchema, jsonSchemaOf } from '@magpie/schema-messages';
import { gatewaySchema } from './gateway.ts';
import { httpSchema } from './http.ts';

/**
 * Paths of the keys of `gateway` and `http` that take effect only at the next start, such as `['gateway', 'dataDir']`:
 * those marked `.meta({ restart: true })` in the schema, including everything below them. Read by the reloader.
 */
export const RESTART_KEYS: readonly (readonly string[])[] = [
  ...marked(jsonSchemaOf(gatewaySchema), ['gateway']),
  ...marked(jsonSchemaOf(httpSchema), ['http']),
];

function marked(schema: JsonSchema, path: readonly string[]): readonly (readonly string[])[] {
  if (schema.restart) return [path];
  return Object.entries(schema.properties ?? {}).flatMap(([key, inner]) => marked(inner, [...path, key]));
}
