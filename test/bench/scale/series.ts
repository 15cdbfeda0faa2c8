import type { Driver } from '../driver/client.ts';
import type { Site } from '../paths/path.ts';
import type { Column, Goal, ScaleRow } from '../report/scale-results.ts';
import type { BrokerRole, BrokerRoles } from '../world/brokers.ts';

/** What a series needs to be measured. Its brokers run. */
export interface SeriesRun {
  readonly rounds: number;
  /** Measured seconds of each round. */
  readonly seconds: number;
  /** When to begin nothing further, by `performance.now()`. */
  readonly deadline: number;
  /** Where the gateway of a size works; its names are its own. */
  readonly site: (size: number) => Site;
  readonly broker: <K extends BrokerRole>(role: K) => BrokerRoles[K];
  readonly progress: (sentence: string) => void;
  /** Given in tests. */
  readonly driver?: () => Driver;
}

/** How the gateway grows with one thing: add one to `scale/index.ts` and it runs. */
export interface Series {
  /** As on the command line. */
  readonly name: string;
  readonly title: string;
  /** What is counted, such as `routes`. */
  readonly unit: string;
  /** What is measured, in a few sentences. */
  readonly about: string;
  readonly sizes: readonly number[];
  /** With `--quick`. */
  readonly quickSizes: readonly number[];
  readonly needs: readonly BrokerRole[];
  readonly columns: readonly Column[];
  /** Keys of the columns whose growth is of interest. */
  readonly cost: string;
  readonly memory: string;
  readonly goals: readonly Goal[];
  /** Whether each size is measured once, without rounds. */
  readonly once?: true;
  /** One row per size, in the same order. A size that cannot be measured says so in its row. */
  measure(sizes: readonly number[], run: SeriesRun): Promise<readonly ScaleRow[]>;
}

/** Why a size was not begun. */
export const OUT_OF_TIME = 'not begun: the time for all sizes was over';
