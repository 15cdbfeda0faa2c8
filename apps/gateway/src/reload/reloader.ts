import type { ConfigControl, ConfigInForce, ReloadResult } from '@magpie/api';
import { type Config, problemsToJson, redactConfig } from '@magpie/config';
import { Aborted, type Logger } from '@magpie/contract';
import { type Gateway, planChanges } from '@magpie/core';
import type { RouteSet } from '@magpie/routing';
import { type Compiled, tested } from '../config/compile.ts';
import { fingerprintOf } from '../config/reader.ts';
import { inForce, restartNeeded } from './restart.ts';
import { planOf, type Revisions } from './revisions.ts';
import { describeRefusal, describeReport } from './words.ts';

/** How a configuration is loaded, at the start and at a reload. */
export interface Loading {
  /** The configuration the gateway starts with. */
  readonly first: Compiled;
  /** Loads it again for the running gateway with this id. */
  load(gatewayId: string): Compiled;
}

/** Keeps a running gateway in line with its configuration file. */
export interface Reloader extends ConfigControl {
  /** Absolute paths of the files that the last load read. */
  files(): readonly string[];
  /**
   * Called when a file may have changed. Reloads if one differs from the last load, otherwise does not even parse.
   * Never rejects.
   */
  filesChanged(): Promise<void>;
}

/** The parts a reloader works with. */
export interface ReloaderOptions {
  readonly loading: Loading;
  /** The revisions in force, starting with `loading.first`. */
  readonly revisions: Revisions;
  readonly gateway: Pick<Gateway, 'id' | 'state' | 'reload'>;
  readonly builtins: ReadonlySet<string>;
  readonly logger: Logger;
  /** Called after a reload that took effect, for what is read besides the configuration. */
  readonly onReload?: () => void;
}

type Usable = Compiled & { readonly config: Config; readonly routes: RouteSet };

const isUsable = (compiled: Compiled): compiled is Usable =>
  compiled.config !== undefined && compiled.routes !== undefined;

/** Makes the reloader of a gateway. Reloads run one at a time, in the order they were asked for. */
export function createReloader({ loading, revisions, gateway, builtins, logger, onReload }: ReloaderOptions): Reloader {
  let last = loading.first; // The last load of the file, accepted or refused.
  const inTurn = createTurns();

  const refuse = (compiled: Compiled): ReloadResult => {
    const problems = problemsToJson(compiled.problems, compiled.source);
    revisions.refuse(problems);
    logger.error({ error: 'ConfigInvalid' }, describeRefusal(problems, revisions.now.number));
    return { type: 'invalid', problems };
  };

  const change = async (wanted: Usable): Promise<ReloadResult> => {
    const before = revisions.now.config;
    const next = inForce(before, wanted.config);
    const plan = planOf(next, wanted.routes);
    const report = await gateway.reload(plan);
    const pending = restartNeeded(before, wanted.config);
    const { number } = revisions.apply({ config: next, plan, restartNeeded: pending }, wanted.source.text);
    logger.info({}, describeReport(report, number, pending));
    onReload?.();
    return { type: 'applied', revision: number, report, restartNeeded: pending, warnings: warningsOf(wanted) };
  };

  const apply = (compiled: Compiled): Promise<ReloadResult> | ReloadResult => {
    last = compiled;
    return isUsable(compiled) ? change(compiled) : refuse(compiled);
  };

  const plan = (compiled: Compiled): ReloadResult => {
    if (!isUsable(compiled)) return { type: 'invalid', problems: problemsToJson(compiled.problems, compiled.source) };
    const { number, plan: current, config: before } = revisions.now;
    const report = planChanges(current, planOf(compiled.config, compiled.routes), builtins);
    const pending = restartNeeded(before, compiled.config);
    return { type: 'planned', revision: number, report, restartNeeded: pending, warnings: warningsOf(compiled) };
  };

  const load = (): Compiled => {
    if (gateway.state !== 'running') throw new Aborted(`the gateway is ${gateway.state}`);
    return tested(loading.load(gateway.id));
  };

  return {
    current: () => show(revisions, last),
    reload: ({ dryRun }) => inTurn(async () => (dryRun ? plan(load()) : apply(load()))),
    files: () => last.files,
    filesChanged: () =>
      inTurn(async () => {
        const { files, fingerprint } = last;
        if (fingerprintOf(files) !== fingerprint) await apply(load());
      }).catch((error: unknown) => {
        if (!(error instanceof Aborted)) logger.error({ error: String(error) }, 'the configuration was not reloaded');
      }),
  };
}

/** For `GET /v1/config`: without secrets. */
const show = ({ now, refused }: Revisions, { source }: Compiled): ConfigInForce => ({
  file: source.file,
  revision: now.number,
  hash: now.hash,
  loadedAt: now.loadedAt,
  config: redactConfig(now.config),
  restartNeeded: now.restartNeeded,
  ...(refused ? { refused } : {}),
});

/** Runs what it is given one after the other. */
function createTurns(): <T>(work: () => Promise<T>) => Promise<T> {
  let queue: Promise<unknown> = Promise.resolve();
  return (work) => {
    const turn = queue.then(work);
    queue = turn.catch(() => undefined); // Whoever asked hears of it.
    return turn;
  };
}

const warningsOf = ({ problems, source }: Compiled) =>
  problemsToJson(
    problems.filter(({ severity }) => severity === 'warning'),
    source,
  );
