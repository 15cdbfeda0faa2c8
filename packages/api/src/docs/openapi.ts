import swagger from '@fastify/swagger';
import type { FastifyInstance } from 'fastify';
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod';

/** Describes all routes added later as OpenAPI 3.1, from the schemas they are validated by. */
export function addOpenApi(app: FastifyInstance, version: string, basePath: string | undefined): void {
  app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Magpie',
        version,
        description:
          'Publish to and read from a messaging gateway. Live events are delivered by WebSocket on `/v1/stream`.',
      },
      ...(basePath === undefined ? {} : { servers: [{ url: basePath }] }),
      components: {
        securitySchemes: {
          key: {
            type: 'http',
            scheme: 'bearer',
            description: 'A key of `http.keys`; not needed when none is configured.',
          },
        },
      },
      security: [{ key: [] }],
    },
    transform: jsonSchemaTransform,
    transformObject: (document) => withOptionalBodies(jsonSchemaTransformObject(document)),
  });
}

type Document = ReturnType<typeof jsonSchemaTransformObject>;

/** A nullable body may be omitted. The framework cannot express that: it marks every body as required. */
function withOptionalBodies(document: Document): Document {
  for (const path of Object.values(document.paths ?? {})) {
    for (const operation of Object.values(path ?? {})) makeOptional(operation);
  }
  return document;
}

function makeOptional(operation: unknown): void {
  if (!isRecord(operation) || !isRecord(operation.requestBody) || !isRecord(operation.requestBody.content)) return;
  const { requestBody } = operation;
  for (const media of Object.values(operation.requestBody.content)) {
    const given = isRecord(media) && isRecord(media.schema) ? withoutNull(media.schema) : undefined;
    if (!isRecord(media) || given === undefined) continue;
    media.schema = given;
    requestBody.required = false;
  }
}

/** The other schema of a union with null; undefined when it is not such a union. */
function withoutNull({ anyOf }: Record<string, unknown>): unknown {
  if (!Array.isArray(anyOf) || anyOf.length !== 2) return undefined;
  const isNull = (schema: unknown): boolean => isRecord(schema) && schema.type === 'null';
  return anyOf.some(isNull) ? anyOf.find((schema) => !isNull(schema)) : undefined;
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
