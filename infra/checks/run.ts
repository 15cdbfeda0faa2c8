import { parseArgs } from 'node:util';
import { removePlants } from './import-rules.ts';
import { leftoversStep } from './leftovers.ts';
import type { Step } from './step.ts';
import { STEPS } from './steps.ts';
import { closingLine, type Finished, seconds, summaryTable } from './summary.ts';

const say = (text: string): void => void process.stdout.write(`${text}\n`);

/** The steps whose names contain one of the given words; all without words. The search for leftover processes is always part of them. */
function chosenSteps(): readonly Step[] {
  const { values } = parseArgs({ options: { only: { type: 'string', multiple: true, default: [] } } });
  const chosen = STEPS.filter(
    ({ name }) => values.only.length === 0 || values.only.some((word) => name.includes(word)),
  );
  return [...chosen, leftoversStep];
}

async function runStep(step: Step, position: string): Promise<Finished> {
  say(`[${position}] ${step.name}`);
  const start = performance.now();
  const result = await step.run();
  const ms = performance.now() - start;
  if (result.failed > 0) say(`${result.output.trimEnd()}\n`);
  const counts = result.passed + result.failed > 1 ? `, ${result.passed} passed, ${result.failed} failed` : '';
  say(`[${position}] ${step.name}: ${result.failed === 0 ? 'ok' : 'FAILED'}, ${seconds(ms)}${counts}`);
  return { name: step.name, ms, result };
}

/**
 * Runs every check of the repository: `node infra/checks/run.ts [--only <word>]…`. The last line is `N passed, N failed`;
 * the exit code is 1 when anything failed.
 */
async function main(): Promise<void> {
  const steps = chosenSteps();
  const finished: Finished[] = [];
  for (const [index, step] of steps.entries()) finished.push(await runStep(step, `${index + 1}/${steps.length}`));
  say(`\n${summaryTable(finished)}\n`);
  process.exitCode = finished.some(({ result }) => result.failed > 0) ? 1 : 0;
  say(closingLine(finished));
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    removePlants(); // What runs is ended by its guard.
    process.exit(130);
  });
}

await main();
