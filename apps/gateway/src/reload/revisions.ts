import { createHash } from 'node:crypto';
import type { ConfigInForce } from '@magpie/api';
import type { Config } from '@magpie/config';
import type { Plan } from '@magpie/core';
import type { RouteSet } from '@magpie/routing';
import { connectionMap } from '../config/compile.ts';

/**
 * Keys of the section `gateway` that a reload can change. A key added to the schema must be added here or be marked
 * `.meta({ restart: true })`; a test checks this.
 */
export const LIVE_KEYS = ['log', 'deadLetters'] as const satisfies readonly (keyof Config['gateway'])[];

/** Settings of the section `gateway` that may change while running. */
export type LiveSettings = Pick<Config['gateway'], (typeof LIVE_KEYS)[number]>;

/** A configuration that took effect. */
export interface Revision {
  readonly config: Config;
  readonly plan: Plan;
  /** Counts from 1, one more with every reload. */
  readonly number: number;
  /** SHA-256 of the text of the file. */
  readonly hash: string;
  /** ms since the epoch. */
  readonly loadedAt: number;
  /** Keys that were changed in the file but take effect only after a restart. */
  readonly restartNeeded: readonly string[];
}

/**
 * The configuration in force, and whether a newer one was refused. Written by the reloader, read by the running
 * gateway.
 */
export class Revisions {
  #now: Revision;
  #refused: ConfigInForce['refused'];

  /** Starts with the gateway's first configuration; `text` is the content of its file. */
  constructor(config: Config, routes: RouteSet, text: string) {
    this.#now = revision(1, { config, plan: planOf(config, routes), restartNeeded: [] }, text);
  }

  /** In force. */
  get now(): Revision {
    return this.#now;
  }

  /** The keys of `gateway` that a reload may change. Read at every use. */
  get live(): LiveSettings {
    const { log, deadLetters } = this.#now.config.gateway;
    return { log, deadLetters };
  }

  /** Why the last load of the file was refused; undefined when it is in force. */
  get refused(): ConfigInForce['refused'] {
    return this.#refused;
  }

  /** Records that the last load of the file was refused. */
  refuse(problems: NonNullable<ConfigInForce['refused']>['problems']): void {
    this.#refused = { at: Date.now(), problems };
  }

  /** Records that the file with this text is in force. */
  apply(change: Change, text: string): Revision {
    this.#refused = undefined;
    this.#now = revision(this.#now.number + 1, change, text);
    return this.#now;
  }
}

type Change = Pick<Revision, 'config' | 'plan' | 'restartNeeded'>;

const revision = (number: number, change: Change, text: string): Revision => ({
  ...change,
  number,
  hash: createHash('sha256').update(text).digest('hex'),
  loadedAt: Date.now(),
});

/** Routes and connections as the core takes them. */
export const planOf = (config: Config, routes: RouteSet): Plan => ({ routes, connections: connectionMap(config) });
