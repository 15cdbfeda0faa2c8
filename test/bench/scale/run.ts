import { LOAD } from '../paths/path.ts';
import { thisMachine } from '../report/machine.ts';
import type { ScaleResult, ScaleRow } from '../report/scale-results.ts';
import { siteOf } from '../run.ts';
import type { BrokerRole, BrokerRoles, Brokers } from '../world/brokers.ts';
import type { Series } from './series.ts';

/** After so many ms no size and no round is begun. */
const LONGEST_MS = 7 * 60_000;

/** What a run of series needs. */
export interface ScaleRun {
  readonly options: { readonly rounds: number; readonly seconds: number; readonly quick: boolean };
  readonly brokers: Brokers;
  readonly progress: (sentence: string) => void;
  /** Told as soon as a series is done. */
  readonly done: (result: ScaleResult) => void;
  /** Default {@link LONGEST_MS}. */
  readonly longestMs?: number;
}

/** Measures series one after the other. What goes wrong is said in the rows, and the run goes on. */
export async function runScale(series: readonly Series[], run: ScaleRun): Promise<readonly ScaleResult[]> {
  const deadline = performance.now() + (run.longestMs ?? LONGEST_MS);
  const results: ScaleResult[] = [];
  for (const [index, one] of series.entries()) {
    const position = `[${index + 1}/${series.length}] ${one.name}`;
    run.progress(`${position}: ${one.title}`);
    const progress = (sentence: string): void => run.progress(`${position}: ${sentence}`);
    const result = await runSeries(one, { ...run, progress }, deadline);
    results.push(result);
    run.done(result);
  }
  return results;
}

async function runSeries(series: Series, run: ScaleRun, deadline: number): Promise<ScaleResult> {
  const { options, brokers } = run;
  const { rounds, seconds } = options;
  const rows = await measure(series, run, deadline);
  const running = brokers.running();
  const versions = series.needs.flatMap((role) => {
    const broker = running[role];
    return broker ? [[broker.name, broker.version] as const] : [];
  });
  const { title, unit, about, columns, cost, memory, goals } = series;
  return {
    ...{ series: series.name, title, unit, about, columns, cost, memory, goals, rows },
    date: new Date().toISOString(),
    machine: thisMachine(),
    versions: { node: process.version, ...Object.fromEntries(versions) },
    ...(series.once ? {} : { settings: { rounds, seconds } }),
  };
}

async function measure(
  series: Series,
  { options, brokers, progress }: ScaleRun,
  deadline: number,
): Promise<readonly ScaleRow[]> {
  const sizes = options.quick ? series.quickSizes : series.sizes;
  const roles: Partial<BrokerRoles> = {};
  const { rounds, seconds } = options;
  const broker = <K extends BrokerRole>(role: K): BrokerRoles[K] => {
    const found = roles[role];
    if (!found) throw new Error(`${series.name} does not say that it needs ${role}`);
    return found;
  };
  const site = (size: number) => siteOf({ name: series.name, body: LOAD.body }, sizes.indexOf(size), roles);
  try {
    for (const role of series.needs) Object.assign(roles, { [role]: await brokers.get(role) });
    return await series.measure(sizes, { rounds, seconds, deadline, site, broker, progress });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return sizes.map((size) => ({ size, state: 'failed', reason, notes: [], figures: {} }));
  }
}
