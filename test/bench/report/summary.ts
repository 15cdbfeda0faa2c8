import { median, pairedRatios, spread } from '../measure/statistics.ts';
import type { PathResult, Row, Summary } from './results.ts';

/** Figures of a row; undefined when it was not measured. */
export function summarize({ rows, base }: Pick<PathResult, 'rows' | 'base'>, row: Row): Summary | undefined {
  if (row.state !== 'measured' || row.rounds.length === 0) return undefined;
  const own = (of: Row): readonly number[] => of.rounds.map(({ cpu }) => cpu[of.process] ?? Number.NaN);
  const speed = (of: Row): readonly number[] => of.rounds.map(({ perSecond }) => perSecond);
  const yardstick = rows.find(({ contender, state }) => contender === base && state === 'measured');
  const compared = yardstick && yardstick !== row;
  return {
    perSecond: spread(speed(row)),
    cpu: spread(own(row)),
    cpuByProcess: middles(row.rounds.map(({ cpu }) => cpu)),
    memory: median(row.rounds.map(({ memory }) => memory[row.process] ?? Number.NaN)),
    ...(compared
      ? {
          ratio: spread(pairedRatios(speed(row), speed(yardstick))),
          cpuRatio: spread(pairedRatios(own(row), own(yardstick))),
        }
      : {}),
  };
}

/** The median of each name. */
function middles(records: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const names = [...new Set(records.flatMap((record) => Object.keys(record)))];
  return Object.fromEntries(names.map((name) => [name, median(records.flatMap((record) => record[name] ?? []))]));
}
