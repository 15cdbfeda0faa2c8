import type { ConnectionInfo } from '@magpie/routing';
import type { GatewayConfig } from './schema/gateway.ts';
import type { HttpConfig } from './schema/http.ts';

/** A checked configuration: defaults filled in, references resolved, paths absolute, units as ms and bytes. */
export interface Config {
  readonly version: 1;
  readonly gateway: GatewayConfig;
  readonly http: HttpConfig;
  /** In the order of the file, then the built-in `http` when its adapter was given. */
  readonly connections: readonly ConnectionInfo[];
  /** The section `routes` as written; `compileRoutes` of the routing package parses it. */
  readonly routes: Readonly<Record<string, unknown>>;
  /** Where relative paths start: the directory of the file. */
  readonly directory: string;
}
