import type { ScaleResult, ScaleRow } from '../report/scale-results.ts';

/** A measured size with these CPU times and memory. */
export const size = (at: number, cpu: readonly number[], memory: readonly number[]): ScaleRow => ({
  ...{ size: at, state: 'measured', notes: [] },
  figures: { cpu, memory },
});

/** A size that could not be measured. */
export const failedSize = (at: number, reason = 'gone'): ScaleRow => ({
  ...{ size: at, state: 'failed', reason, notes: [], figures: {} },
});

/** A series with these sizes. */
export const scale = (rows: readonly ScaleRow[], series = 'scale-x'): ScaleResult => ({
  ...{ series, title: 'Routes', unit: 'routes', about: 'What it is.', cost: 'cpu', memory: 'memory' },
  columns: [
    { key: 'cpu', heading: 'CPU s/100k' },
    { key: 'memory', heading: 'RSS MB' },
  ],
  goals: [{ words: '100 cost as much as 10', figure: 'cpu', from: 10, to: 100, most: 1.1 }],
  rows,
  date: '2026-11-27T00:00:00.000Z',
  machine: { processor: 'CPU', cores: 2, memoryGb: 24, system: 'Linux 6' },
  versions: { node: 'v24.0.0', mosquitto: '2.0.11' },
  settings: { rounds: 2, seconds: 5 },
});
