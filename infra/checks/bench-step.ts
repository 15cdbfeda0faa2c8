import { runCommand } from './command.ts';
import type { Step } from './step.ts';

const COMMAND = ['--conditions=@magpie/source', '--disable-warning=ExperimentalWarning', 'test/bench/main.ts'];
const TIMEOUT_MS = 240_000;
/** What the benchmark prints from here on is worth showing. */
const FIRST_LINE = 'ratios to the script by hand';

/** The quick benchmark: its comparison is shown and judged by nobody, because figures depend on what else the machine does. */
export const benchStep: Step = {
  name: 'quick benchmark, not part of the verdict',
  run: async () => {
    const { output } = await runCommand('node', [...COMMAND, '--quick', '--check'], TIMEOUT_MS);
    const lines = output.trimEnd().split('\n');
    const first = lines.findIndex((line) => line.startsWith(FIRST_LINE));
    const shown = first < 0 ? lines.slice(-5) : lines.slice(first);
    process.stdout.write(`${shown.map((line) => `    ${line}`).join('\n')}\n`);
    return { passed: 0, failed: 0, skipped: 0, output };
  },
};
