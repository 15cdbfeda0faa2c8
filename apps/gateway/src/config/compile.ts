import { resolve } from 'node:path';
import { checkGrant } from '@magpie/access';
import { type Config, type ConfigSource, type Draft, loadConfig } from '@magpie/config';
import { type AddressBook, type AnyAdapter, createAddressBook, errorMessage, parseJson } from '@magpie/contract';
import {
  type ConnectionInfo,
  compileRoutes,
  patternFromText,
  type RouteSet,
  type RouteTestResult,
} from '@magpie/routing';
import { firstProblems, type Problem } from '@magpie/schema-messages';
import { certificateProblems } from './certificates.ts';
import { permissionWarnings } from './permissions.ts';
import { createReader, type FilesRead } from './reader.ts';

/**
 * A configuration file, loaded and compiled. `config` and `routes` are set unless a problem is an error. The files read
 * are this file, the files it refers to and payload schemas.
 */
export interface Compiled extends FilesRead {
  readonly config: Config | undefined;
  readonly routes: RouteSet | undefined;
  readonly book: AddressBook;
  readonly problems: readonly Problem[];
  readonly source: ConfigSource;
}

/** Where a configuration comes from. */
export interface CompileOptions {
  readonly path: string;
  readonly text?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Id of the running gateway; default: the one in the file. */
  readonly gatewayId?: string;
}

/** Loads a configuration and compiles its routes. Never throws for what a file may contain. */
export function compileFile(adapters: readonly AnyAdapter[], options: CompileOptions): Compiled {
  const reader = createReader();
  const {
    config,
    draft,
    problems: found,
    source,
    report,
  } = loadConfig({ ...options, adapters, readFile: reader.read });
  const exposed = options.text === undefined ? permissionWarnings(options.path, report.secrets) : [];
  const problems = [...found, ...exposed, ...(config ? certificateProblems(config) : [])];
  const book = createAddressBook(adapters);
  // Mistakes in routes are reported even while a secret is missing.
  const known = config ?? (draft && checkable(draft));
  if (!known) return { config, routes: undefined, book, problems: firstProblems(problems), source, ...reader.seen() };
  const compiled = compileRoutes({
    routes: known.routes,
    connections: connectionMap(known),
    gatewayId: options.gatewayId ?? known.gateway.id,
    book,
    maxBodyBytes: known.gateway.limits.maxBodyBytes,
    readJsonFile: (path) => parseJson(reader.read(resolve(known.directory, path))),
  });
  const all = [
    ...problems,
    ...compiled.problems,
    ...unloggedBuiltIns(compiled.routes, adapters),
    ...grantProblems(known, book),
  ];
  const broken = all.some(({ severity }) => severity === 'error');
  const routes = broken ? undefined : compiled.routes;
  return { config, routes, book, problems: firstProblems(all), source, ...reader.seen() };
}

/** Grants about connections that do not exist, and addresses that none could have. */
function grantProblems(config: Config, book: AddressBook): readonly Problem[] {
  const connections = connectionMap(config);
  const places = {
    pattern: (address: string, connection: string | undefined) =>
      patternFromText(address, book, connection === undefined ? undefined : connections.get(connection)),
  };
  return config.http.keys.flatMap(({ grants }, key) =>
    grants.flatMap((grant, index): readonly Problem[] => {
      const pointer = `/http/keys/${key}/grants/${index}`;
      const { connection } = grant;
      if (connection !== undefined && !connections.has(connection)) {
        const names = [...connections.keys()].join(', ');
        const message = `expected the name of a connection (${names}), got "${connection}"`;
        return [{ severity: 'error', pointer: `${pointer}/connection`, message }];
      }
      try {
        checkGrant(grant, places);
        return [];
      } catch (error) {
        return [{ severity: 'error', pointer: `${pointer}/address`, message: errorMessage(error) }];
      }
    }),
  );
}

/** A draft without the routes that use an unusable connection: those cannot be checked yet. */
function checkable({ config, unusable }: Draft): Config {
  const isCheckable = (route: unknown): boolean => !connectionsIn(route).some((name) => unusable.has(name));
  const routes = Object.entries(config.routes).filter(([, route]) => isCheckable(route));
  return { ...config, routes: Object.fromEntries(routes) };
}

/** Every text under a key `connection`, at any depth. */
function connectionsIn(value: unknown): readonly string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    key === 'connection' && typeof inner === 'string' ? [inner] : connectionsIn(inner),
  );
}

/** Messages from a built-in connection are acknowledged once stored: they cannot bypass the log. */
function unloggedBuiltIns({ unlogged }: RouteSet, adapters: readonly AnyAdapter[]): readonly Problem[] {
  const builtIn = new Set(adapters.filter((each) => each.builtIn).map(({ type }) => type));
  const routes = new Set(unlogged.filter(({ from }) => builtIn.has(from)).map(({ route }) => route));
  return [...routes].map((route) => ({
    severity: 'error',
    pointer: `/routes/${route}/from/durability`,
    message:
      'messages published by HTTP or WebSocket are acknowledged once on disk: "durability: none" is not possible',
  }));
}

/** Failing route tests as problems, each at its place in the file. Used by `magpie check` and before a reload. */
export const testProblems = (tests: readonly RouteTestResult[]): readonly Problem[] =>
  tests.flatMap(({ pointer, name, failure }) =>
    failure === undefined ? [] : { severity: 'error', pointer, message: `test ${name} failed: ${failure}` },
  );

/** The same, unusable when one of the routes' own tests fails. */
export function tested(compiled: Compiled): Compiled {
  const failed = testProblems(compiled.routes?.test() ?? []);
  return failed.length === 0
    ? compiled
    : { ...compiled, routes: undefined, problems: firstProblems([...compiled.problems, ...failed]) };
}

/** Connections by name. */
export const connectionMap = ({ connections }: Config): ReadonlyMap<string, ConnectionInfo> =>
  new Map(connections.map((info) => [info.name, info]));
