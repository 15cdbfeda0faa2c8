import { isLoopback } from '@magpie/contract';
import { describeInput, jsonSchemaOf, type Problem } from '@magpie/schema-messages';
import { z } from 'zod';
import type { Config } from '../config.ts';
import { gatewaySchema } from '../schema/gateway.ts';
import { type HttpConfig, httpSchema } from '../schema/http.ts';
import { mapMarked } from '../schema/map-marked.ts';
import { checkSchema } from './check-schema.ts';
import { type ConnectionsContext, checkConnections } from './connections.ts';

/** The top level: only the presence of sections is checked here; each section is checked separately. */
const rootSchema = z.strictObject({
  version: z.unknown(),
  gateway: z.unknown(),
  http: z.unknown(),
  connections: z.unknown(),
  routes: z.unknown(),
});

/** The checked sections of a file; undefined when the file is not a mapping. */
export interface CheckedSections {
  readonly sections: Omit<Config, 'directory'> | undefined;
  readonly problems: readonly Problem[];
}

/** Checks a whole configuration value section by section, so that one mistake does not hide others. Pure. */
export function checkSections(value: unknown, context: ConnectionsContext): CheckedSections {
  const root = checkSchema(z.record(z.string(), z.unknown()), value ?? {}, { path: [], ...context });
  if (!root.value) return { sections: undefined, problems: root.problems };
  const { version, ...sections } = withoutExtensions(root.value);
  const under = (name: string) => ({ ...context, path: [name] });
  const known = checkSchema(rootSchema.partial(), { version, ...sections }, { path: [], ...context });
  const gateway = checkSchema(gatewaySchema, sections.gateway ?? {}, under('gateway'));
  const http = checkSchema(
    httpSchema,
    mapMarked(jsonSchemaOf(httpSchema), sections.http ?? {}, 'filePath', context.absolute),
    under('http'),
  );
  const connections = checkConnections(sections.connections, context);
  const routes = checkSchema(z.record(z.string(), z.unknown()), sections.routes ?? {}, under('routes'));
  const problems = [
    ...checkVersion(version),
    ...known.problems,
    ...gateway.problems,
    ...http.problems,
    ...(http.value ? checkExposure(http.value, context.substituted.has('/http/host')) : []),
    ...(http.value ? checkKeys(http.value) : []),
    ...connections.problems,
    ...routes.problems,
  ];
  if (!gateway.value || !http.value || !routes.value) return { sections: undefined, problems };
  const { dataDir } = gateway.value;
  return {
    sections: {
      version: 1,
      gateway: { ...gateway.value, dataDir: context.absolute(dataDir) },
      http: http.value,
      connections: connections.connections,
      routes: routes.value,
    },
    problems,
  };
}

/** Top-level keys that start with `x-` belong to the user, for example for anchors. */
const withoutExtensions = (value: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(value).filter(([key]) => !key.startsWith('x-')));

function checkVersion(version: unknown): readonly Problem[] {
  if (version === 1) return [];
  const got = describeInput(version, false);
  const message =
    version === undefined
      ? 'expected the key "version" (1), got nothing'
      : `expected version 1, the only one this gateway reads, got ${got}`;
  return [{ severity: 'error', pointer: '/version', message, hint: 'start the file with the line "version: 1"' }];
}

/** A key that may do nothing, and two keys of one name, are mistakes. */
function checkKeys({ keys }: HttpConfig): readonly Problem[] {
  return keys.flatMap(({ id, roles, grants }, index): readonly Problem[] => {
    const pointer = `/http/keys/${index}`;
    const hint = `for example roles: [viewer], or grants: [{ action: publish, connection: http, address: "topic:orders/#" }]`;
    const first = keys.findIndex((each) => each.id === id);
    const twice = `expected a name of its own, got "${id}", as /http/keys/${first}`;
    return [
      ...(first < index ? [{ severity: 'error' as const, pointer: `${pointer}/id`, message: twice }] : []),
      ...(roles.length + grants.length === 0
        ? [
            {
              severity: 'error' as const,
              pointer,
              message: `expected roles or grants, got none: the key may do nothing`,
              hint,
            },
          ]
        : []),
    ];
  });
}

function checkExposure({ host, keys }: HttpConfig, hidden: boolean): readonly Problem[] {
  if (isLoopback(host) || keys.length > 0) return [];
  const message = `expected API keys, as the gateway listens beyond this machine (host ${describeInput(host, hidden)}), got none`;
  const hint = 'make a key with "magpie key new ID --role admin", or listen on 127.0.0.1';
  return [{ severity: 'error', pointer: '/http/host', message, hint }];
}
