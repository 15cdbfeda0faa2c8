import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Config, type ConfigSource, loadConfig } from '@magpie/config';
import { type AddressBook, type AnyAdapter, createAddressBook, type Problem } from '@magpie/contract';
import { type ConnectionInfo, compileRoutes, type RouteSet } from '@magpie/routing';

/** A configuration file, loaded and compiled. `config` and `routes` are there unless a problem is an error. */
export interface Compiled {
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
}

/** Loads a configuration and compiles its routes. Never throws for what a file may contain. */
export function compileFile(adapters: readonly AnyAdapter[], options: CompileOptions): Compiled {
  const { config, problems, source } = loadConfig({ ...options, adapters });
  const book = createAddressBook(adapters.flatMap(({ addresses }) => addresses));
  if (!config) return { config, routes: undefined, book, problems, source };
  const compiled = compileRoutes({
    routes: config.routes,
    connections: connectionMap(config),
    gatewayId: config.gateway.id,
    book,
    readJsonFile: (path) => JSON.parse(readFileSync(resolve(config.directory, path), 'utf8')),
  });
  const all = [...problems, ...compiled.problems];
  const broken = all.some(({ severity }) => severity === 'error');
  return { config, routes: broken ? undefined : compiled.routes, book, problems: all, source };
}

/** Connections by name. */
export const connectionMap = ({ connections }: Config): ReadonlyMap<string, ConnectionInfo> =>
  new Map(connections.map((info) => [info.name, info]));
