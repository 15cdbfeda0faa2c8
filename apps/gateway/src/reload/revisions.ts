import { createHash } from 'node:crypto';
import type { ConfigInForce } from '@magpie/api';
import { type Config, redactConfig } from '@magpie/config';
import type { Plan } from '@magpie/core';
import type { RouteSet } from '@magpie/routing';
import { type Compiled, connectionMap } from '../config/compile.ts';

/** A configuration that was put in force. */
export interface Revision {
  readonly config: Config;
  readonly plan: Plan;
  /** Counts from 1, one more with every reload. */
  readonly number: number;
  /** SHA-256 of the text of the file. */
  readonly hash: string;
  /** ms since the epoch. */
  readonly loadedAt: number;
  /** Keys that differ in the file and take effect after a restart. */
  readonly restartNeeded: readonly string[];
}

/** What a gateway runs with and what became of the last look at its file. Kept by the reloader. */
export interface Revisions {
  /** In force. */
  now(): Revision;
  /** The last look at the file, whatever came of it. */
  last(): Compiled;
  looked(compiled: Compiled): void;
  /** The last look could not be put in force. */
  refused(problems: NonNullable<ConfigInForce['refused']>['problems']): void;
  /** The last look is in force. */
  applied(change: Pick<Revision, 'config' | 'plan' | 'restartNeeded'>): Revision;
  /** For `GET /v1/config`: without secrets. */
  show(): ConfigInForce;
}

/** Starts with what a gateway starts with. */
export function createRevisions(first: Compiled, config: Config, routes: RouteSet): Revisions {
  let last = first;
  let refusal: ConfigInForce['refused'];
  const next = (number: number, change: Pick<Revision, 'config' | 'plan' | 'restartNeeded'>): Revision => ({
    ...change,
    number,
    hash: createHash('sha256').update(last.source.text).digest('hex'),
    loadedAt: Date.now(),
  });
  let revision = next(1, { config, plan: planOf(config, routes), restartNeeded: [] });
  return {
    now: () => revision,
    last: () => last,
    looked: (compiled) => {
      last = compiled;
    },
    refused: (problems) => {
      refusal = { at: Date.now(), problems };
    },
    applied: (change) => {
      refusal = undefined;
      revision = next(revision.number + 1, change);
      return revision;
    },
    show: () => ({
      file: last.source.file,
      revision: revision.number,
      hash: revision.hash,
      loadedAt: revision.loadedAt,
      config: redactConfig(revision.config),
      restartNeeded: revision.restartNeeded,
      ...(refusal ? { refused: refusal } : {}),
    }),
  };
}

/** Routes and connections as the core takes them. */
export const planOf = (config: Config, routes: RouteSet): Plan => ({ routes, connections: connectionMap(config) });
