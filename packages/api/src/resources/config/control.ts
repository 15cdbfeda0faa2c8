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

/** The configuration a gateway works by. */
export interface ConfigInForce {
  readonly file: string;
  /** Counts from 1 at start; one more with every reload. */
  readonly revision: number;
  /** SHA-256 of the file's text, hexadecimal. */
  readonly hash: string;
  /** ms since the epoch. */
  readonly loadedAt: number;
  /** As it is in force, defaults filled in, without secrets. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Keys that differ in the file but need a restart, such as `gateway.dataDir`. */
  readonly restartNeeded: readonly string[];
  /** The last reload was refused: when (ms since the epoch) and why. */
  readonly refused?: { readonly at: number; readonly problems: readonly ConfigProblem[] };
}

/** What came of loading a configuration again. */
export type ReloadResult =
  | {
      /** `planned`: only looked at. */
      readonly type: 'applied' | 'planned';
      /** The revision in force now. */
      readonly revision: number;
      readonly report: ReloadReport;
      readonly restartNeeded: readonly string[];
      readonly warnings: readonly ConfigProblem[];
    }
  | { readonly type: 'invalid'; readonly problems: readonly ConfigProblem[] };

/** The hand of the API on the configuration of its gateway. */
export interface ConfigControl {
  current(): ConfigInForce;
  /**
   * Loads the configuration again and changes to it, or with `dryRun` only says what would change. An invalid one changes
   * nothing. One at a time, in the order of the calls.
   */
  reload(options: { readonly dryRun: boolean }): Promise<ReloadResult>;
}
