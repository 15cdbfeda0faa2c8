import type { Machine } from '../../report/results.ts';

/** What one case came to. Times in ns. */
export interface Figures {
  /** Operations per call. */
  readonly operations: number;
  /** Mean of one call by the clock. */
  readonly mean: number;
  /** CPU time of the whole process per call, garbage collection and the threads of the log included. */
  readonly cpu: number;
  /** Of one call by the clock. */
  readonly p50: number;
  readonly p99: number;
  /** Calls that were measured. */
  readonly calls: number;
  /** Calls that were timed together, because one is too short; p50 and p99 are then of the means of batches. */
  readonly batch: number;
}

/** One case of a group. */
export interface CaseResult {
  readonly name: string;
  /** Its place in the chart of the group. */
  readonly point?: { readonly line: string; readonly at: number };
  readonly figures?: Figures;
  /** Why there are none. */
  readonly failure?: string;
}

/** One group, as it ran. */
export interface GroupResult {
  readonly group: string;
  readonly title: string;
  readonly note: string;
  /** What is counted, and what p50 and p99 are of, in the singular. */
  readonly operation: string;
  readonly call: string;
  /** Whether calls wait for something. Where they do not, CPU time is all there is. */
  readonly waits: boolean;
  readonly cases: readonly CaseResult[];
  readonly date: string;
  readonly machine: Machine;
  readonly versions: Readonly<Record<string, string>>;
  /** Cores that other programs used meanwhile. */
  readonly foreignCores: number;
}
