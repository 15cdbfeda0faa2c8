import { type CommandResult, runCommand } from './command.ts';
import { type Step, type StepResult, verdict } from './step.ts';

const COMMAND = ['--conditions=@magpie/source', '--disable-warning=ExperimentalWarning', 'test/bench/main.ts'];
const TIMEOUT_MS = 240_000;
/** One path between brokers and one from a request into the log: they pass what the others do. */
const PATHS = ['mqtt1-amqp', 'http-202'];
/** What the benchmark prints from here on is worth showing. */
const FIRST_LINE = 'ratios to the script by hand';

/**
 * Two paths of the quick benchmark. It must run to its end; its comparison is shown but not judged, because figures depend on
 * what else the machine does.
 */
export const benchStep: Step = {
  name: 'quick benchmark, figures not judged',
  run: async () => benchResult(await runCommand('node', [...COMMAND, ...PATHS, '--quick', '--check'], TIMEOUT_MS)),
};

/** Shows the comparison of a benchmark; one that did not end with 0 has failed, with all of its output. */
export function benchResult({ code, output }: CommandResult): StepResult {
  const lines = output.trimEnd().split('\n');
  const first = lines.findIndex((line) => line.startsWith(FIRST_LINE));
  if (code === 0 && first >= 0) {
    const shown = lines.slice(first).map((line) => `    ${line}`);
    process.stdout.write(`${shown.join('\n')}\n`);
  }
  return verdict(code === 0 && first >= 0, `${output.trimEnd()}\nended with code ${code}`);
}
