import type { AnyAdapter } from '@magpie/contract';
import type { ConnectionInfo } from '@magpie/routing';
import { describeInput, didYouMean, jsonSchemaOf, oneOf, type Problem, pointerOf } from '@magpie/schema-messages';
import { z } from 'zod';
import { mapMarked } from '../schema/map-marked.ts';
import { type CheckContext, checkSchema } from './check-schema.ts';

const NAME = /^[A-Za-z][A-Za-z0-9_-]*$/;

/** Keys every connection has, whatever its type. */
export const commonSchema = z.object({
  type: z.string().describe('Protocol of the connection.'),
  subscribe: z
    .array(z.record(z.string(), z.unknown()))
    .default([])
    .describe(
      'What to receive besides what the routes ask for, for history and live streams; written like `from` in a route.',
    ),
});

/** What checking the connections needs to know. */
export interface ConnectionsContext {
  readonly adapters: readonly AnyAdapter[];
  readonly substituted: ReadonlySet<string>;
  /** Makes a path absolute. */
  readonly absolute: (path: string) => string;
}

/** Checked connections: those without problems, in the order of the file, and the built-in one. */
export interface CheckedConnections {
  readonly connections: readonly ConnectionInfo[];
  readonly problems: readonly Problem[];
}

/** Checks the section `connections` by the schemas of the adapters. Pure. */
export function checkConnections(section: unknown, context: ConnectionsContext): CheckedConnections {
  const path = ['connections'];
  const { value = {}, problems } = checkSchema(z.record(z.string(), z.unknown()), section ?? {}, { ...context, path });
  const checked = Object.entries(value).map(([name, entry]) => checkConnection(name, entry, context));
  return {
    connections: [...checked.flatMap(({ info }) => (info ? [info] : [])), ...builtInConnections(context.adapters)],
    problems: [...problems, ...checked.flatMap((each) => each.problems)],
  };
}

/** The connections that are always there, each named like its type. */
const builtInConnections = (adapters: readonly AnyAdapter[]): readonly ConnectionInfo[] =>
  adapters
    .filter(({ builtIn }) => builtIn)
    .map((adapter) => ({ name: adapter.type, adapter, config: adapter.connectionSchema.parse({}), subscribe: [] }));

type CheckedConnection = { readonly info?: ConnectionInfo; readonly problems: readonly Problem[] };

function checkConnection(
  name: string,
  entry: unknown,
  { adapters, substituted, absolute }: ConnectionsContext,
): CheckedConnection {
  const path = ['connections', name];
  const naming = checkName(name, adapters);
  if (naming) return { problems: [naming] };
  const typed = adapterOf(entry, path, adapters);
  if ('problem' in typed) return { problems: [typed.problem] };
  const { adapter, keys, subscribe } = typed;
  const context: CheckContext = { path, substituted };
  const settings = mapMarked(jsonSchemaOf(adapter.connectionSchema), keys, 'filePath', absolute);
  const config = checkSchema(adapter.connectionSchema, settings, context);
  const subscribed = checkSchema(commonSchema.shape.subscribe, subscribe, {
    path: [...path, 'subscribe'],
    substituted,
  });
  const problems = [...config.problems.map(withCommonKeys), ...subscribed.problems];
  if (problems.length > 0 || !subscribed.value) return { problems };
  return { info: { name, adapter, config: config.value, subscribe: subscribed.value }, problems };
}

/** An unknown key may also be a slip of a common key, which the adapter's own schema does not know. */
function withCommonKeys(problem: Problem): Problem {
  const key = problem.pointer.split('/').at(-1);
  const common = problem.atKey && problem.pointer.split('/').length === 4 ? didYouMean(key, ['subscribe']) : undefined;
  return common && !problem.hint?.startsWith('did you mean') ? { ...problem, hint: common } : problem;
}

function checkName(name: string, adapters: readonly AnyAdapter[]): Problem | undefined {
  const at = { severity: 'error', pointer: pointerOf(['connections', name]), atKey: true } as const;
  const reserved = adapters.filter(({ builtIn }) => builtIn).map(({ type }) => type);
  if (reserved.includes(name) || name.startsWith('$')) {
    return {
      ...at,
      message: `expected a connection name that is not reserved, got "${name}"`,
      hint: `${reserved.map((each) => `"${each}"`).join(', ')} and names that start with "$" are built in`,
    };
  }
  if (NAME.test(name)) return undefined;
  return {
    ...at,
    message: `expected a connection name of letters, digits, "_" and "-" that starts with a letter, got "${name}"`,
  };
}

type Typed =
  | { readonly adapter: AnyAdapter; readonly keys: object; readonly subscribe: unknown }
  | { readonly problem: Problem };

function adapterOf(entry: unknown, path: readonly string[], adapters: readonly AnyAdapter[]): Typed {
  const configurable = adapters.filter(({ builtIn }) => !builtIn);
  const types = configurable.map(({ type }) => type);
  const fail = (at: readonly string[], message: string, hint?: string): Typed => ({
    problem: { severity: 'error', pointer: pointerOf(at), message, ...(hint ? { hint } : {}) },
  });
  if (!isMapping(entry))
    return fail(path, `expected a mapping with a type (${oneOf(types)}), got ${describeInput(entry, true)}`);
  const { type, subscribe, ...keys } = entry;
  const adapter = configurable.find((each) => each.type === type);
  if (adapter) return { adapter, keys, subscribe };
  if (type === undefined) return fail([...path, 'type'], `expected the key "type" (${oneOf(types)}), got nothing`);
  return fail(
    [...path, 'type'],
    `expected a type, ${oneOf(types)}, got ${describeInput(type, false)}`,
    didYouMean(type, types),
  );
}

const isMapping = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
