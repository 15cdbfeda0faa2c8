import type { Options } from './options.ts';
import type { BenchPath, Contender, Site } from './paths/path.ts';
import { thisMachine } from './report/machine.ts';
import type { PathResult, Row } from './report/results.ts';
import { runPath } from './run-path.ts';
import type { BrokerRole, BrokerRoles, Brokers } from './world/brokers.ts';

/** What a whole run needs. */
export interface WholeRun {
  readonly options: Pick<Options, 'rounds' | 'seconds' | 'peers' | 'quick'>;
  readonly brokers: Brokers;
  readonly progress: (sentence: string) => void;
  /** Told as soon as a path is done. */
  readonly done: (result: PathResult) => void;
}

/** Runs paths one after the other. What goes wrong on one is said in its rows, and the run goes on. */
export async function runAll(paths: readonly BenchPath[], run: WholeRun): Promise<readonly PathResult[]> {
  const results: PathResult[] = [];
  for (const [index, path] of paths.entries()) {
    const position = `[${index + 1}/${paths.length}] ${path.name}`;
    run.progress(`${position}: ${path.title}`);
    const result = await runOne(path, { ...run, progress: (sentence) => run.progress(`${position}: ${sentence}`) });
    results.push(result);
    run.done(result);
  }
  return results;
}

async function runOne(path: BenchPath, run: WholeRun): Promise<PathResult> {
  const { options } = run;
  const contenders = [...path.contenders, ...(options.peers ? path.peers : [])];
  const rows = await measure(path, contenders, run).catch((error: unknown) => failed(contenders, error));
  const running = run.brokers.running();
  const versions = path.needs.flatMap((role) => {
    const broker = running[role];
    return broker ? [[broker.name, broker.version] as const] : [];
  });
  return {
    path: path.name,
    title: path.title,
    load: { body: path.body, window: path.window, rate: path.rate, copies: path.copies },
    base: path.base,
    rows,
    date: new Date().toISOString(),
    machine: thisMachine(),
    versions: { node: process.version, ...Object.fromEntries(versions) },
    settings: { rounds: options.rounds, seconds: options.seconds },
  };
}

/** A compiler at run time takes this long to know what is hot; programs like these run for months. */
const WARM_MS = 8000;

async function measure(
  path: BenchPath,
  contenders: readonly Contender[],
  { options, brokers, progress }: WholeRun,
): Promise<readonly Row[]> {
  const roles: Partial<BrokerRoles> = {};
  const pids: Record<string, number> = {};
  for (const role of path.needs) {
    const broker = await brokers.get(role);
    Object.assign(roles, { [role]: broker });
    pids[role] = broker.pid ?? 0;
  }
  return runPath(path, contenders, {
    rounds: options.rounds,
    seconds: options.seconds,
    latency: !options.quick,
    ...(options.quick ? {} : { warmMs: WARM_MS }),
    site: (contender) => siteOf(path, contenders.indexOf(contender), roles),
    brokers: pids,
    progress,
  });
}

/** Names that no other contender of this run uses; all of a path have the same length. */
export function siteOf(
  { name, body }: Pick<BenchPath, 'name' | 'body'>,
  index: number,
  roles: Partial<BrokerRoles>,
): Site {
  const broker = (role: BrokerRole) => {
    const found = roles[role];
    if (!found) throw new Error(`${name} does not say that it needs ${role}`);
    return found;
  };
  return {
    name: `${name}-${index}`,
    body,
    port: (role) => broker(role).ports.plain,
    url: (role) => {
      const { urls } = broker(role);
      return 'anonymous' in urls ? urls.anonymous : urls.plain;
    },
    ca: (role) => broker(role).ca,
  };
}

const failed = (contenders: readonly Contender[], error: unknown): readonly Row[] =>
  contenders.map(({ name, guarantee, process }) => ({
    ...{ contender: name, guarantee, process, rounds: [], notes: [] },
    state: 'failed',
    reason: error instanceof Error ? error.message : String(error),
  }));
