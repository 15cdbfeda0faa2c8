import { createHash } from 'node:crypto';
import type { ConfigControl, ConfigInForce, ReloadResult } from '@magpie/api';
import { type Config, problemsToJson, redactConfig } from '@magpie/config';
import { Aborted, type Logger } from '@magpie/contract';
import type { Gateway, Plan } from '@magpie/core';
import type { RouteSet } from '@magpie/routing';
import { type Compiled, connectionMap } from '../compile.ts';
import { plannedChanges } from './changes.ts';
import { inForce, restartNeeded } from './restart.ts';
import { describeRefusal, describeReport } from './words.ts';

/** How a configuration is loaded, the first time and again. */
export interface Loading {
  /** What the gateway starts with. */
  readonly first: Compiled;
  /** Loads it again for a gateway that runs under an id. */
  load(gatewayId: string): Compiled;
}

/** Keeps a running gateway at its configuration. */
export interface Reloader extends ConfigControl {
  /** The configuration in force. */
  settings(): Config;
  /** Files the last look at the configuration has read, absolute. */
  files(): readonly string[];
  /** A file may have changed: loads again if one differs from the last look. Never rejects. */
  filesChanged(): Promise<void>;
}

export interface ReloaderOptions {
  readonly loading: Loading;
  /** What runs: the configuration of `loading.first`, compiled. */
  readonly config: Config;
  readonly routes: RouteSet;
  readonly gateway: Pick<Gateway, 'id' | 'state' | 'reload'>;
  readonly builtins: ReadonlySet<string>;
  readonly logger: Logger;
}

/** What is in force, and what became of the last look at the file. */
interface Revision {
  readonly config: Config;
  readonly plan: Plan;
  readonly number: number;
  readonly hash: string;
  readonly loadedAt: number;
  readonly restartNeeded: readonly string[];
}

type Usable = Compiled & { readonly config: Config; readonly routes: RouteSet };

const isUsable = (compiled: Compiled): compiled is Usable =>
  compiled.config !== undefined && compiled.routes !== undefined;

const hashOf = ({ source }: Compiled): string => createHash('sha256').update(source.text).digest('hex');

const planOf = (config: Config, routes: RouteSet): Plan => ({ routes, connections: connectionMap(config) });

/** Makes the reloader of a gateway. Reloads run one at a time, in the order they were asked for. */
export function createReloader({ loading, config, routes, gateway, builtins, logger }: ReloaderOptions): Reloader {
  let revision: Revision = {
    config,
    plan: planOf(config, routes),
    number: 1,
    hash: hashOf(loading.first),
    loadedAt: Date.now(),
    restartNeeded: [],
  };
  let last = loading.first;
  let refused: ConfigInForce['refused'];
  let queue: Promise<unknown> = Promise.resolve();

  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const turn = queue.then(work);
    queue = turn.catch(() => undefined); // Whoever asked hears of it.
    return turn;
  };

  const refuse = (compiled: Compiled): ReloadResult => {
    const problems = problemsToJson(compiled.problems, compiled.source);
    refused = { at: Date.now(), problems };
    logger.error({ error: 'ConfigInvalid' }, describeRefusal(problems, revision.number));
    return { type: 'invalid', problems };
  };

  const change = async (wanted: Usable): Promise<ReloadResult> => {
    const next = inForce(revision.config, wanted.config);
    const plan = planOf(next, wanted.routes);
    const report = await gateway.reload(plan);
    const pending = restartNeeded(revision.config, wanted.config);
    const number = revision.number + 1;
    revision = { config: next, plan, number, hash: hashOf(wanted), loadedAt: Date.now(), restartNeeded: pending };
    refused = undefined;
    logger.info({}, describeReport(report, number, pending));
    return { type: 'applied', revision: number, report, restartNeeded: pending, warnings: warningsOf(wanted) };
  };

  const apply = (compiled: Compiled): Promise<ReloadResult> | ReloadResult => {
    last = compiled;
    return isUsable(compiled) ? change(compiled) : refuse(compiled);
  };

  const plan = (compiled: Compiled): ReloadResult => {
    if (!isUsable(compiled)) return { type: 'invalid', problems: problemsToJson(compiled.problems, compiled.source) };
    const report = plannedChanges(revision.plan, planOf(compiled.config, compiled.routes), builtins);
    const pending = restartNeeded(revision.config, compiled.config);
    return {
      type: 'planned',
      revision: revision.number,
      report,
      restartNeeded: pending,
      warnings: warningsOf(compiled),
    };
  };

  const load = (): Compiled => {
    if (gateway.state !== 'running') throw new Aborted(`the gateway is ${gateway.state}`);
    return loading.load(gateway.id);
  };

  return {
    current: () => ({
      file: last.source.file,
      revision: revision.number,
      hash: revision.hash,
      loadedAt: revision.loadedAt,
      config: redactConfig(revision.config),
      restartNeeded: revision.restartNeeded,
      ...(refused ? { refused } : {}),
    }),
    reload: ({ dryRun }) => inTurn(async () => (dryRun ? plan(load()) : apply(load()))),
    settings: () => revision.config,
    files: () => last.files,
    filesChanged: () =>
      inTurn(async () => {
        const compiled = load();
        if (compiled.fingerprint !== last.fingerprint) await apply(compiled);
      }).catch((error: unknown) => {
        if (!(error instanceof Aborted)) logger.error({ error: String(error) }, 'the configuration was not reloaded');
      }),
  };
}

const warningsOf = ({ problems, source }: Compiled) =>
  problemsToJson(
    problems.filter(({ severity }) => severity === 'warning'),
    source,
  );
