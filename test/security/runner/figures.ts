/** What one attack was made of and what it did. A run keeps a row of these for each test. */
export interface AttackFigures {
  /** The test file without `.test.ts`, and the whole name of the test. */
  readonly file: string;
  readonly attack: string;
  /** Messages, sockets, requests, elements: whatever the attack sent. */
  readonly inputs: number;
  readonly crashes: number;
  readonly hangs: number;
  readonly leaks: number;
  readonly losses: number;
  /** Messages of a good client that were not taken meanwhile. */
  readonly refusals: number;
  /** Most resident memory of the gateway, and how much that is above what it used before, in MB. */
  readonly peak: number;
  readonly growth: number;
}

/** Figures as a line of the results file, which the tests append to and the runner reads. */
export const figuresLine = (figures: AttackFigures): string => `${JSON.stringify(figures)}\n`;

/** All figures of a results file; a line that is still being written is left out. */
export const parseFigures = (text: string): readonly AttackFigures[] =>
  text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as AttackFigures); // written by the tests of this same run
