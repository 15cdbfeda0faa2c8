import { setTimeout as sleep } from 'node:timers/promises';
import { type Driver, startDriver } from './driver/client.ts';
import { cpuOfProcess } from './driver/observe.ts';
import type { LatencyResult, ThroughputResult } from './driver/specification.ts';
import { percentile } from './measure/statistics.ts';
import { type BenchPath, type Contender, loadOf, type Running, type Site } from './paths/path.ts';
import type { Round, Row } from './report/results.ts';
import { figure } from './report/table.ts';

/** From here on the generator may have been the limit. */
const GENERATOR_LIMIT = { cores: 0.9, busy: 0.97 } as const;
/** Lateness of the generator that a reader has to know of, ms. */
const LATE_MS = 10;

/** The window is filled up when this part of it is free, so that a write carries several messages. */
const TOGETHER_PART = 16;

/** On paths that lose nothing: long enough for a pause of a broker. */
const STALL_MS = 5000;

/** When a contender is idle, and the longest wait for that. */
const IDLE = { cores: 0.2, watchMs: 200, longestMs: 20_000 } as const;

/** How to run a path. */
export interface PathRun {
  readonly rounds: number;
  readonly seconds: number;
  /** Whether to measure latencies as well. */
  readonly latency: boolean;
  /** How long each contender works before its first round is measured, ms; default little more than fills its pipes. */
  readonly warmMs?: number;
  /** Where a contender works. */
  readonly site: (contender: Contender) => Site;
  /** Processes of the brokers, by name. */
  readonly brokers: Readonly<Record<string, number>>;
  readonly progress: (sentence: string) => void;
  /** When to begin no further round, by `performance.now()`. */
  readonly deadline?: number;
  /** Looks at a contender that has had its rounds, while everybody is still connected. */
  readonly after?: (contender: Contender, running: Running) => Promise<void>;
  /** Given in tests. */
  readonly driver?: () => Driver;
}

/** A contender on its way through the rounds. */
interface Entry {
  readonly contender: Contender;
  readonly id: string;
  running?: Running;
  failure?: string;
  readonly rounds: Round[];
  readonly limited: string[];
  readonly samples: number[];
  readonly notes: Set<string>;
  lost: number;
  /** Of the measured part of each run only, so that a share of it is never too small. */
  sent: number;
}

/** Runs all contenders of a path in turn, round after round. A contender that cannot go on fails its own row only. */
export async function runPath(
  path: BenchPath,
  contenders: readonly Contender[],
  run: PathRun,
): Promise<readonly Row[]> {
  const driver = (run.driver ?? startDriver)();
  const entries: Entry[] = contenders.map((contender, index) => ({
    ...{ contender, id: `${index}`, rounds: [], limited: [], samples: [], notes: new Set(), lost: 0, sent: 0 },
  }));
  try {
    for (const entry of entries) await guarded(entry, () => start(path, entry, driver, run));
    const { rounds, deadline = Number.POSITIVE_INFINITY } = run;
    for (let round = 0; round < rounds && performance.now() < deadline; round++) {
      for (const entry of entries) {
        if (entry.failure === undefined) await guarded(entry, () => playRound(path, entry, driver, run, round));
      }
    }
    for (const entry of entries) {
      const { contender, running, failure } = entry;
      if (running && failure === undefined) await guarded(entry, async () => run.after?.(contender, running));
    }
  } finally {
    await driver.stop();
    await Promise.all(entries.map(async ({ running }) => running?.stop()));
  }
  return entries.map(rowOf);
}

async function guarded(entry: Entry, step: () => Promise<void>): Promise<void> {
  try {
    await step();
  } catch (error) {
    entry.failure = error instanceof Error ? error.message : String(error);
  }
}

/** A contender that is behind finishes its work before it is the next one's turn: HTTP is answered before messages are delivered. */
export async function untilIdle(pid: number): Promise<void> {
  const deadline = performance.now() + IDLE.longestMs;
  while (performance.now() < deadline) {
    const before = cpuOfProcess(pid);
    await sleep(IDLE.watchMs);
    // Of a process that is gone there are no figures; the next call to the generator will tell.
    const busy = cpuOfProcess(pid) - before >= (IDLE.watchMs / 1000) * IDLE.cores;
    if (!busy) return;
  }
}

async function start(path: BenchPath, entry: Entry, driver: Driver, run: PathRun): Promise<void> {
  const { contender, id } = entry;
  run.progress(`starting ${contender.name}`);
  const site = run.site(contender);
  entry.running = await contender.start(site);
  for (const note of entry.running.notes) entry.notes.add(note);
  await driver.call('open', { id, load: loadOf(path, contender, site, entry.running) });
}

async function playRound(path: BenchPath, entry: Entry, driver: Driver, run: PathRun, round: number): Promise<void> {
  const { contender, id, running } = entry;
  const ms = run.seconds * 1000;
  // The first round also warms up the program, later ones only fill its pipes.
  const warmMs = round === 0 ? (run.warmMs ?? 1000 + ms / 2) : Math.min(1000, ms / 2);
  const pids = { ...run.brokers, [contender.process]: running!.pid };
  const { window, together = Math.ceil(window / TOGETHER_PART), stallMs = STALL_MS } = path;
  const fast = await driver.call('throughput', { id, window, together, stallMs, warmMs, ms, pids });
  await untilIdle(running!.pid);
  const measured = roundOf(fast, path.copies);
  noteOf(entry, fast);
  if (isLimit(fast)) entry.limited.push(`${figure(fast.generator.cores)} cores, ${percent(fast.generator.busy)} busy`);
  entry.rounds.push(measured);
  let words = `${figure(measured.perSecond)}/s, ${figure(measured.cpu[contender.process]!)} CPU s/100k`;
  if (run.latency) {
    const paced = await driver.call('latency', { id, rate: path.rate, warmMs: 500, ms });
    entry.samples.push(...paced.milliseconds);
    noteOf(entry, paced);
    words += `, p99 ${figure(percentile(paced.milliseconds, 0.99))} ms`;
  }
  await untilIdle(running!.pid);
  run.progress(`round ${round + 1}/${run.rounds} ${contender.name}: ${words}`);
}

const percent = (share: number): string => `${Math.round(share * 100)} %`;

const isLimit = ({ generator: { cores, busy } }: ThroughputResult): boolean =>
  cores >= GENERATOR_LIMIT.cores || busy >= GENERATOR_LIMIT.busy;

function roundOf(result: ThroughputResult, copies: number): Round {
  const { seconds, machine, lost, duplicates, refused, memory, generator } = result;
  const deliveries = result.delivered * copies;
  if (deliveries === 0) throw new Error('delivered nothing while it was measured');
  const used = Object.values(result.cpu).reduce((sum, value) => sum + value, 0);
  return {
    perSecond: deliveries / seconds,
    cpu: Object.fromEntries(Object.entries(result.cpu).map(([name, value]) => [name, (value * 1e5) / deliveries])),
    memory,
    lost,
    duplicates,
    refused,
    generatorCores: generator.cores,
    foreignCores: Math.max(0, machine - used) / seconds,
  };
}

/** Says what was lost, refused or late in any run. */
function noteOf(entry: Entry, result: ThroughputResult | LatencyResult): void {
  entry.lost += result.lost;
  entry.sent += result.lost + ('sent' in result ? result.sent - result.lost : result.delivered);
  if ('refused' in result && result.refused > 0) entry.notes.add('had messages refused');
  if ('duplicates' in result && result.duplicates > 0) entry.notes.add('delivered some messages twice');
  if ('late' in result && result.late > LATE_MS) entry.notes.add('the generator was late in a latency run');
}

function rowOf({ contender, failure, rounds, limited, samples, notes, lost, sent }: Entry): Row {
  const { name, guarantee, process } = contender;
  const losses = lost > 0 ? [`lost ${figure((lost * 100) / sent)} % of the messages`] : [];
  const common = { contender: name, guarantee, process, rounds, notes: [...notes, ...losses] };
  if (failure !== undefined) return { ...common, state: 'failed', reason: failure };
  if (limited.length > 0 && limited.length * 2 >= rounds.length) {
    return { ...common, state: 'invalid', reason: `the generator was the limit (${limited[0]})` };
  }
  const latency = {
    p50: percentile(samples, 0.5),
    p99: percentile(samples, 0.99),
    p999: percentile(samples, 0.999),
  };
  return {
    ...common,
    state: 'measured',
    ...(samples.length > 0 ? { latency, latencySamples: samples.length } : {}),
  };
}
