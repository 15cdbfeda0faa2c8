import type { PathResult, Round, Row } from '../report/results.ts';

/** A round with this speed and CPU time of the contender. */
export const round = (perSecond: number, cpu: number, process = 'magpie'): Round => ({
  perSecond,
  cpu: { [process]: cpu, mosquitto: 1 },
  memory: { [process]: 100 },
  ...{ lost: 0, duplicates: 0, refused: 0, generatorCores: 0.2, foreignCores: 0 },
});

/** A measured row. */
export const row = (contender: string, rounds: readonly Round[], more: Partial<Row> = {}): Row => ({
  contender,
  guarantee: 'at least once',
  process: contender === 'Magpie' ? 'magpie' : 'script',
  state: 'measured',
  notes: [],
  rounds,
  ...more,
});

/** A path with these rows, compared with `script`. */
export const result = (rows: readonly Row[], path = 'a-b'): PathResult => ({
  path,
  title: 'A → B',
  load: { body: 256, window: 1000, rate: 1000, copies: 1 },
  base: 'script',
  rows,
  date: '2026-11-21T00:00:00.000Z',
  machine: { processor: 'CPU', cores: 2, memoryGb: 24, system: 'Linux 6' },
  versions: { node: 'v24.0.0', mosquitto: '2.0.11' },
  settings: { rounds: 2, seconds: 5 },
});

/** Magpie twice as fast at half the CPU time in one round, equal in the other. */
export const pair = (path?: string): PathResult =>
  result(
    [
      row('Magpie', [round(2000, 2), round(1000, 4)], { latency: { p50: 0.5, p99: 5, p999: 25 } }),
      row('script', [round(1000, 4, 'script'), round(1000, 4, 'script')], { notes: ['lost 1 % of the messages'] }),
    ],
    path,
  );
