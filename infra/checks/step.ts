import { type CommandResult, runCommand } from './command.ts';

/** What a step found. A step that is one check counts one; a test run counts its tests. */
export interface StepResult {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** Shown when the step failed. */
  readonly output: string;
}

/** One part of `npm test`. `run` never rejects for what it checks, only for a bug in the check. */
export interface Step {
  readonly name: string;
  run(): Promise<StepResult>;
}

/** The result of a single check. */
export const verdict = (ok: boolean, output: string): StepResult => ({
  passed: ok ? 1 : 0,
  failed: ok ? 0 : 1,
  skipped: 0,
  output,
});

/** Time after which a check that does not end has failed. */
export const CHECK_TIMEOUT_MS = 180_000;

/** A step that is one command: it passes when the command exits with 0. */
export function commandStep(name: string, program: string, args: readonly string[]): Step {
  return { name, run: async () => resultOf(await runCommand(program, args, CHECK_TIMEOUT_MS)) };
}

const resultOf = ({ code, output }: CommandResult): StepResult => verdict(code === 0, output);

/** A step that is a function; what it throws is its failure. */
export function functionStep(name: string, check: () => Promise<string | undefined> | string | undefined): Step {
  return {
    name,
    run: async () => {
      try {
        const failure = await check();
        return verdict(failure === undefined, failure ?? '');
      } catch (error) {
        return verdict(false, error instanceof Error ? (error.stack ?? error.message) : String(error));
      }
    },
  };
}
