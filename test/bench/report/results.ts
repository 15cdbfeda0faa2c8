import type { Spread } from '../measure/statistics.ts';

/** p50, p99 and p99.9 in ms. */
export interface Percentiles {
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
}

/** What one contender did in one round. */
export interface Round {
  /** Deliveries per second: messages times subscribers. */
  readonly perSecond: number;
  /** CPU seconds per 100,000 deliveries, by process. */
  readonly cpu: Readonly<Record<string, number>>;
  /** Resident memory in MB, by process. */
  readonly memory: Readonly<Record<string, number>>;
  readonly lost: number;
  readonly duplicates: number;
  readonly refused: number;
  /** Cores used by the generator, and by programs that have nothing to do with the run. */
  readonly generatorCores: number;
  readonly foreignCores: number;
}

/** How a row ended. */
export type RowState =
  /** All rounds were measured. */
  | 'measured'
  /** The generator was the limit in at least one round: the figures say nothing about the contender. */
  | 'invalid'
  /** It could not be run. */
  | 'failed';

/** One contender on one path. */
export interface Row {
  readonly contender: string;
  /** Its guarantee, so that only equal guarantees are compared. */
  readonly guarantee: string;
  readonly state: RowState;
  /** Why it is invalid or failed. */
  readonly reason?: string;
  /** What else a reader has to know. */
  readonly notes: readonly string[];
  /** Which process is the contender's own. */
  readonly process: string;
  readonly rounds: readonly Round[];
  readonly latency?: Percentiles;
  readonly latencySamples?: number;
}

/** Figures of a row, from its rounds. */
export interface Summary {
  readonly perSecond: Spread;
  /** CPU seconds per 100,000 deliveries of the contender's own process. */
  readonly cpu: Spread;
  readonly cpuByProcess: Readonly<Record<string, number>>;
  readonly memory: number;
  /** To the base row, round by round; undefined for the base itself and without it. */
  readonly ratio?: Spread;
  readonly cpuRatio?: Spread;
}

/** One path with all who ran it. */
export interface PathResult {
  readonly path: string;
  readonly title: string;
  /** Bytes of a body, messages on their way, messages per second of the latency run, subscribers. */
  readonly load: { readonly body: number; readonly window: number; readonly rate: number; readonly copies: number };
  /** The contender that ratios refer to. */
  readonly base: string;
  readonly rows: readonly Row[];
  readonly date: string;
  readonly machine: Machine;
  readonly versions: Readonly<Record<string, string>>;
  readonly settings: { readonly rounds: number; readonly seconds: number };
}

/** Where it ran. */
export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly memoryGb: number;
  readonly system: string;
}
