import type { AnyAdapter } from '@magpie/contract';
import { routesSchema } from '@magpie/routing';
import { type JsonSchema, jsonSchemaOf } from '@magpie/schema-messages';
import { commonSchema } from '../schema/connection.ts';
import { gatewaySchema } from '../schema/gateway.ts';
import { httpSchema } from '../schema/http.ts';

/**
 * JSON Schema of a configuration file with these adapters, for editors (`# yaml-language-server: $schema=…`). It covers
 * the keys; expressions and templates are checked by `magpie check`.
 */
export function configJsonSchema(adapters: readonly AnyAdapter[]): Record<string, unknown> {
  const [builtIn, configurable] = [adapters.filter((each) => each.builtIn), adapters.filter((each) => !each.builtIn)];
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Magpie configuration',
    type: 'object',
    required: ['version', 'gateway'],
    properties: {
      version: { const: 1, description: 'Version of the format.' },
      gateway: bare(jsonSchemaOf(gatewaySchema)),
      http: bare(jsonSchemaOf(httpSchema)),
      connections: {
        type: 'object',
        propertyNames: { pattern: `^${builtIn.map(({ type }) => `(?!${type}$)`).join('')}[A-Za-z][A-Za-z0-9_-]*$` },
        additionalProperties: { oneOf: configurable.map(connectionJsonSchema) },
      },
      routes: bare(jsonSchemaOf(routesSchema(adapters))),
    },
    patternProperties: { '^x-': {} },
    additionalProperties: false,
  };
}

function connectionJsonSchema({ type, connectionSchema, sourceSchema }: AnyAdapter): JsonSchema {
  const own = bare(jsonSchemaOf(connectionSchema));
  const { subscribe } = jsonSchemaOf(commonSchema).properties ?? {};
  return {
    ...own,
    required: ['type', ...(own.required ?? [])],
    properties: {
      type: { const: type },
      ...own.properties,
      subscribe: { ...subscribe, items: bare(jsonSchemaOf(sourceSchema)) },
    },
  };
}

/** A schema to embed in another: without its dialect. */
function bare(schema: JsonSchema): JsonSchema {
  const { $schema: _, ...rest } = schema as JsonSchema & { $schema?: string };
  return rest;
}
