import { type Driver, startDriver } from '../driver/client.ts';
import { cpuOfProcess, memoryOfProcess } from '../driver/observe.ts';
import type { GatherResult } from '../driver/specification.ts';
import { LOAD, type Site } from '../paths/path.ts';
import { floor, input, output } from '../paths/places.ts';
import type { ScaleRow } from '../report/scale-results.ts';
import { figure } from '../report/table.ts';
import { untilIdle } from '../run-path.ts';
import type { BrokerRoles } from '../world/brokers.ts';
import { ownDirectory } from '../world/child.ts';
import { type GatewaySetup, type RunningGateway, startGateway } from '../world/gateway.ts';
import { fill } from './fill.ts';
import { OUT_OF_TIME, type Series, type SeriesRun } from './series.ts';

/** The drain is given up when nothing has arrived for so long, ms: longer than a link takes to come back. */
const STALL_MS = 40_000;

/** Events that are delivered before the target goes away, so that what the program needs under any load is not taken for growth. */
const WARM = 100_000;

/** Events behind a target that was away. */
export const backlog: Series = {
  name: 'scale-backlog',
  title: 'Events behind a target that was away',
  unit: 'events',
  about:
    `${figure(WARM)} events are published by HTTP and delivered: that is "before". Then the target stands ` +
    'still while events are published. The gateway is killed and started again over its log, with the target back, and ' +
    'delivers them. The drain is measured from ready to the last arrival. Each size is measured once.',
  sizes: [10_000, 100_000, 1_000_000],
  quickSizes: [1000, 5000],
  needs: ['mosquitto2'],
  once: true,
  columns: [
    { key: 'beforeMemory', heading: 'before: peak RSS MB' },
    { key: 'beforeLive', heading: 'before: live MB' },
    { key: 'fillCpu', heading: 'publish: CPU s/100k events' },
    { key: 'fillMemory', heading: 'publish: peak RSS MB' },
    { key: 'fillLive', heading: 'behind it: live MB' },
    { key: 'readySeconds', heading: 'start to ready s' },
    { key: 'perSecond', heading: 'drain: events/s' },
    { key: 'cpu', heading: 'drain: CPU s/100k events' },
    { key: 'drainMemory', heading: 'drain: peak RSS MB' },
  ],
  cost: 'cpu',
  memory: 'fillLive',
  goals: [
    {
      words: 'a million events behind a target take at most 64 MB of live memory more than none',
      ...{ figure: 'liveGrowth', to: 1_000_000, most: 64, unit: 'MB' },
    },
    {
      words: 'the peak of RSS while they are published is at most 64 MB above the peak before',
      ...{ figure: 'peakGrowth', to: 1_000_000, most: 64, unit: 'MB' },
    },
    {
      words: 'start to ready with a million events takes at most 2 s',
      ...{ figure: 'readySeconds', to: 1_000_000, most: 2, unit: 's' },
    },
    {
      words: 'start to ready with a million events takes at most 1.5 times as long as with 10,000',
      ...{ figure: 'readySeconds', from: 10_000, to: 1_000_000, most: 1.5 },
    },
  ],
  measure: async (sizes, run) => {
    const rows: ScaleRow[] = [];
    for (const size of sizes) rows.push(await measureSize(size, run));
    return rows;
  },
};

const failed = (size: number, reason: string): ScaleRow => ({ size, state: 'failed', reason, notes: [], figures: {} });

async function measureSize(size: number, run: SeriesRun): Promise<ScaleRow> {
  if (performance.now() > run.deadline) return failed(size, OUT_OF_TIME);
  const driver = (run.driver ?? startDriver)();
  const target = run.broker('mosquitto2');
  try {
    const { figures, notes } = await fillAndDrain(size, { run, driver, target, site: run.site(size) });
    return { size, state: 'measured', notes, figures };
  } catch (error) {
    return failed(size, error instanceof Error ? error.message : String(error));
  } finally {
    target.resume();
    await driver.stop();
  }
}

interface Scene {
  readonly run: SeriesRun;
  readonly driver: Driver;
  readonly target: BrokerRoles['mosquitto2'];
  readonly site: Site;
}

async function fillAndDrain(size: number, scene: Scene): Promise<Pick<ScaleRow, 'figures' | 'notes'>> {
  const { driver, site, target, run } = scene;
  const directory = ownDirectory();
  const sink = { kind: 'mqtt', port: site.port('mosquitto2'), qos: 1, filter: output(site) } as const;
  await driver.call('gather', { id: site.name, sink, count: size });
  const first = await startGateway(setupOf(site), { directory, live: true });
  let second: RunningGateway | undefined;
  try {
    const before = await warmUp(first, size, scene);
    await target.pause();
    const filled = await publishAll(first, size, site);
    await first.kill();
    target.resume();
    run.progress(`${figure(size)} events stored, ${figure(filled.fillCpu[0]!)} CPU s/100k; starting again`);
    const begun = performance.now();
    second = await startGateway(setupOf(site), { directory });
    const readySeconds = [(performance.now() - begun) / 1000];
    const gathered = await driver.call('gathered', {
      ...{ id: site.name, pids: { magpie: second.pid }, stallMs: STALL_MS },
    });
    const repeated = await driver.call('gathered', { id: warm(site.name), pids: {}, stallMs: STALL_MS });
    const drained = drainOf(size, gathered, memoryOfProcess(second.pid).peak);
    run.progress(`${figure(size)} events drained, ${figure(drained.perSecond[0]!)}/s`);
    const figures = {
      ...{ beforeMemory: [before.peak], beforeLive: [before.live], ...filled, readySeconds, ...drained },
      liveGrowth: [filled.fillLive[0]! - before.live],
      peakGrowth: [filled.fillMemory[0]! - before.peak],
    };
    return { figures, notes: notesOf(gathered, repeated) };
  } finally {
    await second?.stop();
    await first.stop();
  }
}

/** Places of the events before. */
const warm = (place: string): string => `${place}/warm`;

/**
 * Publishes others, on a route of their own, and waits until every one has arrived: a gateway that gets no CPU time looks idle
 * too, and what is left of these would count as backlog.
 */
async function warmUp({ pid, url, liveMemory }: RunningGateway, size: number, { driver, site }: Scene) {
  const id = warm(site.name);
  const count = Math.min(WARM, 10 * size);
  const sink = { kind: 'mqtt', port: site.port('mosquitto2'), qos: 1, filter: warm(output(site)) } as const;
  await driver.call('gather', { id, sink, count });
  await fill({ url, topic: warm(input(site)), body: LOAD.body, count, from: 0 });
  const { gathered } = await driver.call('gathered', { id, pids: {}, stallMs: STALL_MS });
  if (gathered < count) throw new Error(`only ${figure(gathered)} of ${figure(count)} events before arrived`);
  await untilIdle(pid);
  return { peak: memoryOfProcess(pid).peak, live: await liveMemory() };
}

async function publishAll({ pid, url, liveMemory }: RunningGateway, count: number, site: Site) {
  const before = cpuOfProcess(pid);
  await fill({ url, topic: input(site), body: LOAD.body, count, from: 0 });
  const used = cpuOfProcess(pid) - before;
  await untilIdle(pid);
  const { peak } = memoryOfProcess(pid);
  return { fillCpu: [(used * 1e5) / count], fillMemory: [peak], fillLive: [await liveMemory()] };
}

function drainOf(size: number, { before, gathered, seconds, cpu }: GatherResult, peak: number) {
  if (gathered < size) throw new Error(`only ${figure(gathered)} of ${figure(size)} events arrived`);
  const delivered = gathered - before;
  return {
    perSecond: [delivered / seconds],
    cpu: [((cpu.magpie ?? Number.NaN) * 1e5) / delivered],
    drainMemory: [peak],
  };
}

function notesOf(backlogged: GatherResult, before: GatherResult): readonly string[] {
  const note = (what: string, { duplicates }: GatherResult): readonly string[] =>
    duplicates > 0
      ? [`${duplicates.toLocaleString('en-US')} of ${what} arrived twice, the gateway having been killed`]
      : [];
  return [...note('the events', backlogged), ...note('the events before', before)];
}

/** The usual limit of a backlog, 1 GiB, would hold the last size back. */
const setupOf = (site: Site): GatewaySetup => ({
  connections: { other: floor(site, 'mosquitto2') },
  routes: {
    bench: {
      from: { connection: 'http', topic: input(site) },
      to: { connection: 'other', topic: output(site), qos: 1, backlog: { bytes: '10GiB' } },
    },
    warm: {
      from: { connection: 'http', topic: warm(input(site)) },
      to: { connection: 'other', topic: warm(output(site)), qos: 1 },
    },
  },
});
