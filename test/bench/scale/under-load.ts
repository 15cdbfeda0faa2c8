import { memoryOfProcess } from '../driver/observe.ts';
import { type BenchPath, type Contender, type Ends, LOAD, type Running, type Site } from '../paths/path.ts';
import type { Row } from '../report/results.ts';
import type { Column, ScaleRow } from '../report/scale-results.ts';
import { runPath } from '../run-path.ts';
import { DURABLE, type GatewaySetup, type RunningGateway, startGateway } from '../world/gateway.ts';
import { OUT_OF_TIME, type Series, type SeriesRun } from './series.ts';

/** Figures of a series under load. */
export const LOAD_COLUMNS: readonly Column[] = [
  { key: 'perSecond', heading: 'events/s' },
  { key: 'cpu', heading: 'CPU s/100k events' },
  { key: 'startSeconds', heading: 'start to ready s' },
  { key: 'readyMemory', heading: 'RSS MB when ready' },
  { key: 'loadMemory', heading: 'RSS MB under load' },
  { key: 'memory', heading: 'live MB after it' },
];

/** The gateway of one size. */
export interface SizedGateway {
  readonly setup: GatewaySetup;
  readonly ends: (running: Running) => Ends;
  /** What has to be so before anybody connects. Throws what is missing. */
  readonly prepare?: (running: Running) => Promise<void>;
}

/** What is known besides the rounds. */
interface Looks {
  readonly running: RunningGateway;
  readonly startSeconds: readonly number[];
  readonly readyMemory: readonly number[];
  memory?: readonly number[];
}

/** Starts the gateways of all sizes and loads them in turn, round after round, so that their ratios hold. */
export const measureUnderLoad =
  (sized: (site: Site, size: number) => SizedGateway): Series['measure'] =>
  async (sizes, run) => {
    const looks = new Map<string, Looks>();
    const contenders = sizes.map((size) => contenderOf(size, sized, run, looks));
    const rows = await runPath(pathOf(contenders), contenders, {
      ...{ rounds: run.rounds, seconds: run.seconds, deadline: run.deadline, latency: false, brokers: {} },
      site: ({ name }) => run.site(Number(name)),
      progress: run.progress,
      after: async ({ name }) => {
        const look = looks.get(name);
        if (look) look.memory = [await look.running.liveMemory()];
      },
      ...(run.driver ? { driver: run.driver } : {}),
    });
    return rows.map((row) => rowOf(row, looks.get(row.contender)));
  };

function contenderOf(
  size: number,
  sized: (site: Site, size: number) => SizedGateway,
  { deadline }: SeriesRun,
  looks: Map<string, Looks>,
): Contender {
  const name = `${size}`;
  return {
    ...{ name, guarantee: DURABLE, process: 'magpie' },
    start: async (site) => {
      if (performance.now() > deadline) throw new Error(OUT_OF_TIME);
      const { setup, prepare } = sized(site, size);
      const begun = performance.now();
      const running = await startGateway(setup, { live: true });
      const startSeconds = (performance.now() - begun) / 1000;
      looks.set(name, { running, startSeconds: [startSeconds], readyMemory: [memoryOfProcess(running.pid).now] });
      try {
        await prepare?.(running);
      } catch (error) {
        await running.stop();
        throw error;
      }
      return running;
    },
    ends: (site, running) => sized(site, size).ends(running),
  };
}

const pathOf = (contenders: readonly Contender[]): BenchPath => ({
  ...LOAD,
  ...{ name: 'scale', title: 'scale', needs: [], base: '', contenders, peers: [] },
  ends: () => {
    throw new Error('every size has its own ends');
  },
});

function rowOf({ contender, state, reason, notes, rounds }: Row, looks: Looks | undefined): ScaleRow {
  const ended = state === 'measured' && rounds.length === 0;
  return {
    size: Number(contender),
    state: ended ? 'failed' : state,
    ...(ended ? { reason: OUT_OF_TIME } : reason === undefined ? {} : { reason }),
    notes,
    figures: {
      startSeconds: looks?.startSeconds ?? [],
      readyMemory: looks?.readyMemory ?? [],
      memory: looks?.memory ?? [],
      perSecond: rounds.map(({ perSecond }) => perSecond),
      cpu: rounds.map(({ cpu }) => cpu.magpie ?? Number.NaN),
      loadMemory: rounds.map(({ memory }) => memory.magpie ?? Number.NaN),
    },
  };
}
