/** What one row of a table measures. */
export interface Case {
  /** Unique within its group. */
  readonly name: string;
  /** Operations that one call does, such as the packets of a chunk. Default 1. */
  readonly operations?: number;
  /** Where it stands in the chart of its group: the name of a line, and how far to the right. */
  readonly point?: { readonly line: string; readonly at: number };
  /** Makes ready what is measured; the time it takes counts for nothing. Called once, just before. */
  prepare(): Subject | Promise<Subject>;
}

/** Something made ready to be measured. */
export interface Subject<Result = unknown> {
  /** Does the work once. `call` counts from 0, so that the work need not always be the same. Its result is kept. */
  run(call: number): Result | Promise<Result>;
  /** Throws when the result of a call shows that it did not do what the case claims, so that no figure is of an empty loop. */
  check(result: Result, call: number): void;
  /** Releases what it holds, after the last of `calls` calls; rejects when what they left behind is not what they claim. */
  close?(calls: number): Promise<void> | void;
}

/** Cases that share a table. */
export interface Group {
  readonly name: string;
  readonly title: string;
  /** What a reader has to know about the figures, a sentence or two. */
  readonly note: string;
  /** What is counted, in the singular: `event`. */
  readonly operation: string;
  /** What p50 and p99 are of, in the singular: the operation, or a call that does many, such as a commit. */
  readonly call?: string;
  /** Whether calls wait for something, such as a disk. Default false: then rates are per second of CPU time. */
  readonly waits?: boolean;
  readonly cases: readonly Case[];
}

/** A case whose calls neither wait nor leave anything behind. `make` is its `prepare`. */
export const simple = <Result>(name: string, make: () => Subject<Result>, operations = 1): Case => ({
  name,
  operations,
  prepare: make,
});
