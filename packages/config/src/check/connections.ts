import type { AnyAdapter } from '@magpie/contract';
import type { ConnectionInfo } from '@magpie/routing';
import {
  describeInput,
  didYouMean,
  jsonSchemaOf,
  oneOf,
  type Problem,
  pathOf,
  pointerOf,
} from '@magpie/schema-messages';
import { z } from 'zod';
import { commonSchema } from '../schema/connection.ts';
import { mapMarked } from '../schema/map-marked.ts';
import { passwordIn } from '../show/login.ts';
import { type CheckContext, checkSchema } from './check-schema.ts';

const NAME = /^[A-Za-z][A-Za-z0-9_-]*$/;

/** The input for checking connections. */
export interface ConnectionsContext {
  readonly adapters: readonly AnyAdapter[];
  readonly substituted: ReadonlySet<string>;
  /** Whether a value, by its path from the root, may be a secret. */
  isUnquotable?(path: readonly string[], value: unknown): boolean;
  /** Makes a path absolute. */
  readonly absolute: (path: string) => string;
}

/** The connections without problems, in the order of the file, followed by the built-in ones. */
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

/** The built-in connections, each named like its type. */
const builtInConnections = (adapters: readonly AnyAdapter[]): readonly ConnectionInfo[] =>
  adapters
    .filter(({ builtIn }) => builtIn)
    .map((adapter) => ({ name: adapter.type, adapter, config: adapter.connectionSchema.parse({}), subscribe: [] }));

type CheckedConnection = { readonly info?: ConnectionInfo; readonly problems: readonly Problem[] };

function checkConnection(name: string, entry: unknown, { absolute, ...around }: ConnectionsContext): CheckedConnection {
  const { adapters } = around;
  const path = ['connections', name];
  const naming = checkName(name, adapters);
  if (naming) return { problems: [naming] };
  const typed = adapterOf(entry, path, around);
  if ('problem' in typed) return { problems: [typed.problem] };
  const { adapter, keys, subscribe } = typed;
  const context: CheckContext = { ...around, path };
  const settings = mapMarked(jsonSchemaOf(adapter.connectionSchema), keys, 'filePath', absolute);
  const config = checkSchema(adapter.connectionSchema, settings, context);
  const subscribed = checkSchema(commonSchema.shape.subscribe, subscribe, {
    ...around,
    path: [...path, 'subscribe'],
  });
  const worded = config.problems.map(withCommonKeys).map((problem) => withLoginHint(problem, path, keys, adapter));
  const problems = [...worded, ...subscribed.problems];
  if (problems.length > 0 || !subscribed.value) return { problems };
  return { info: { name, adapter, config: config.value, subscribe: subscribed.value }, problems };
}

/** An unknown key may also be a misspelt common key, which the adapter's schema does not contain. */
function withCommonKeys(problem: Problem): Problem {
  const key = problem.pointer.split('/').at(-1);
  const common = problem.atKey && problem.pointer.split('/').length === 4 ? didYouMean(key, ['subscribe']) : undefined;
  return common && !problem.hint?.startsWith('did you mean') ? { ...problem, hint: common } : problem;
}

/** Keys that can hold the login instead of the URL, if the adapter has them. */
const LOGIN_KEYS = ['username', 'jid', 'password'];

/** An invalid URL often has an unescaped character in its password: adds a hint for that, without quoting it. */
function withLoginHint(problem: Problem, path: readonly string[], keys: object, adapter: AnyAdapter): Problem {
  const [key = '', ...deeper] = pathOf(problem.pointer).slice(path.length);
  const value: unknown = Object.entries(keys).find(([name]) => name === key)?.[1];
  if (problem.hint !== undefined || deeper.length > 0 || passwordIn(value) === undefined) return problem;
  const beside = LOGIN_KEYS.filter((name) => Object.hasOwn(adapter.connectionSchema.shape, name));
  const instead = beside.length > 0 ? `, or remove the login from the URL and use ${beside.join(' and ')}` : '';
  return { ...problem, hint: `percent-encode characters such as # / ? @ % in the password of a URL${instead}` };
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

function adapterOf(
  entry: unknown,
  path: readonly string[],
  { adapters, substituted, isUnquotable }: Omit<ConnectionsContext, 'absolute'>,
): Typed {
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
  const place = [...path, 'type'];
  const hidden = substituted.has(pointerOf(place)) || isUnquotable?.(place, type) === true;
  return fail(
    place,
    `expected a type, ${oneOf(types)}, got ${describeInput(type, hidden)}`,
    hidden ? undefined : didYouMean(type, types),
  );
}

const isMapping = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
