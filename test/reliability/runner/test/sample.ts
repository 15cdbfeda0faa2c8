import type { RunRecord } from '../record.ts';
import type { ResultRow } from '../results.ts';

/** A row of a test, with what a test says of it. */
export const row = (given: Partial<ResultRow>): ResultRow => ({
  ...{ file: 'killed-gateway', fault: 'kill', path: 'A → B', acked: 0, lost: 0, excused: 0, duplicates: 0 },
  ...{ takenInAgain: 0, disordered: 0, noticed: undefined, resumed: undefined, rss: 100 },
  ...given,
});

/** A recorded run, with what a test says of it. */
export const run = (given: Partial<RunRecord>): RunRecord => ({
  ...{ date: '2031-05-06T07:08:09.000Z', minutes: 95, state: 'ended', seed: 5, kills: 200, images: 0 },
  ...{ files: ['killed-gateway'], failures: [], faults: [] },
  machine: { cpu: 'Some CPU', cores: 2, memoryGiB: 4, kernel: 'Linux 6.1' },
  versions: { magpie: '1.2.3', commit: 'abc', node: '24.0.0', mosquitto: '2.0', rabbitmq: '4.0', prosody: '0.12' },
  ...given,
});
