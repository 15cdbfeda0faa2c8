import type { ReloadReport } from '@magpie/core';

/** A mistake in a configuration file, with its place. Lines and columns count from 1. */
export interface ConfigProblem {
  readonly severity: 'error' | 'warning';
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly endLine: number;
  readonly endColumn: number;
  readonly pointer: string;
  readonly message: string;
  readonly hint?: string;
}

/** The configuration in force. */
export interface ConfigInForce {
  readonly file: string;
  /** Counts from 1 at start; one more with every reload. */
  readonly revision: number;
  /** SHA-256 of the file's text, hexadecimal. */
  readonly hash: string;
  /** ms since the epoch. */
  readonly loadedAt: number;
  /** The effective configuration with defaults, without secrets. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Keys that differ in the file but need a restart, such as `gateway.dataDir`. */
  readonly restartNeeded: readonly string[];
  /** Set when the last reload was refused: when (ms since the epoch) and why. */
  readonly refused?: { readonly at: number; readonly problems: readonly ConfigProblem[] };
}

/** The result of a reload. */
export type ReloadResult =
  | {
      /** `planned`: a dry run. */
      readonly type: 'applied' | 'planned';
      /** The revision in force now. */
      readonly revision: number;
      readonly report: ReloadReport;
      readonly restartNeeded: readonly string[];
      readonly warnings: readonly ConfigProblem[];
    }
  | { readonly type: 'invalid'; readonly problems: readonly ConfigProblem[] };

/** Lets the API show and reload the configuration of its gateway. */
export interface ConfigControl {
  current(): ConfigInForce;
  /**
   * Reloads the configuration, or with `dryRun` only reports what would change. An invalid one changes nothing. Reloads
   * run one at a time, in the order of the calls.
   */
  reload(options: { readonly dryRun: boolean }): Promise<ReloadResult>;
}
