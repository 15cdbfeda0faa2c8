import type { ConnectionInfo, RouteSet } from '@magpie/routing';

/** What is configured at one time. */
export interface Plan {
  readonly routes: RouteSet;
  /** All connections, the built-in ones included. */
  readonly connections: ReadonlyMap<string, ConnectionInfo>;
}

/** What a reload changed. Names of connections, consumer names of targets. */
export interface ReloadReport {
  readonly connections: {
    readonly added: readonly string[];
    readonly removed: readonly string[];
    /** Reconnected because a key of theirs changed. */
    readonly changed: readonly string[];
    readonly unchanged: readonly string[];
  };
  readonly targets: {
    readonly added: readonly string[];
    /** Their backlog stays in the log, orphaned. */
    readonly removed: readonly string[];
    readonly kept: number;
  };
}
