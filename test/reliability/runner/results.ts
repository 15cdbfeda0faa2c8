/** What is counted over all recorded runs: kills with -9 of a gateway under load, or images of its disk after a power cut. */
export type Counted = 'kills' | 'images';

/** Messages of one trial on one path, and the gateway's memory in MB at its end. */
export interface Figures {
  readonly acked: number;
  readonly lost: number;
  /** Acknowledged by a broker that was killed before it had saved the message: outside the promise. */
  readonly excused: number;
  readonly duplicates: number;
  readonly takenInAgain: number;
  readonly disordered: number;
  readonly rss: number;
}

/** One line of the table that a file prints at its end. Times in ms. */
export interface Row extends Figures {
  /** The same words in every run: rows of equal faults are added up. */
  readonly fault: string;
  /** What was measured besides, printed with the fault. */
  readonly note?: string;
  readonly path: string;
  /** How often the fault happened. Default 1. */
  readonly times?: number;
  readonly counts?: Counted;
  /** Something was broken on purpose to show that a loss would be seen: what is lost here is no loss of the gateway. */
  readonly control?: true;
  readonly noticed: number | undefined;
  readonly resumed: number | undefined;
}

/** A row with the name of its test file, so that equal faults of two files stay apart. */
export type ResultRow = Row & { readonly file: string };

/** What a test measured besides, in sentences. */
export interface Findings {
  readonly file: string;
  readonly findings: readonly string[];
}

/** A result as a line of the results file, which the tests append to and the runner reads. */
export const resultLine = (result: ResultRow | Findings): string => `${JSON.stringify(result)}\n`;

/** Rows and findings of a results file; a line that is still being written is left out. */
export function parseResults(text: string): {
  readonly rows: readonly ResultRow[];
  readonly findings: readonly Findings[];
} {
  const results = text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as ResultRow | Findings); // written by the tests of this same run
  return {
    rows: results.flatMap((each) => ('findings' in each ? [] : [each])),
    findings: results.flatMap((each) => ('findings' in each ? [each] : [])),
  };
}
