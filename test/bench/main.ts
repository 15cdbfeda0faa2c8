import { writeFileSync } from 'node:fs';
import { check, saveBaseline } from './check/baseline.ts';
import { type Options, parseOptions, USAGE, UsageError } from './options.ts';
import { PATHS, QUICK_PATHS } from './paths/index.ts';
import { publish, publishScale, resultsJson } from './report/publish.ts';
import type { PathResult } from './report/results.ts';
import type { ScaleResult } from './report/scale-results.ts';
import { scaleTable } from './report/scale-table.ts';
import { pathTable } from './report/table.ts';
import { runAll } from './run.ts';
import { SERIES } from './scale/index.ts';
import { runScale } from './scale/run.ts';
import { createBrokers } from './world/brokers.ts';

/**
 * The benchmark: `npm run bench -- [path…]`. Runs the gateway, the script a developer would write by hand and with `--peers` other
 * bridges in turn on the same brokers, and prints what each of them did.
 */

const say = (text: string): void => void process.stdout.write(`${text}\n`);
const paths = PATHS.map(({ name }) => name);
const series = SERIES.map(({ name }) => name);

function options(): Options | undefined {
  try {
    return parseOptions(process.argv.slice(2), { paths, series, quick: QUICK_PATHS });
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    const lines = (all: readonly { name: string; title: string }[]): string =>
      all.map(({ name, title }) => `  ${name.padEnd(18)} ${title}`).join('\n');
    process.stderr.write(
      `${error.message}\n\n${USAGE}\n\nPaths:\n${lines(PATHS)}\n\nSeries of sizes, \`scale\` for all:\n${lines(SERIES)}\n`,
    );
    process.exitCode = 2;
    return undefined;
  }
}

const brokers = createBrokers();

async function main(asked: Options): Promise<void> {
  try {
    finish(asked, await measurePaths(asked), await measureScale(asked));
  } finally {
    await brokers.stop();
  }
}

// Both publish one by one, so that a long run that is interrupted has not been in vain.
function measurePaths(asked: Options): Promise<readonly PathResult[]> {
  const done = (result: PathResult): void => {
    say(`\n${pathTable(result)}\n`);
    if (asked.page) publish([result], paths);
  };
  const wanted = PATHS.filter(({ name }) => asked.paths.includes(name));
  return runAll(wanted, { options: asked, brokers, progress: say, done });
}

function measureScale(asked: Options): Promise<readonly ScaleResult[]> {
  const done = (result: ScaleResult): void => {
    say(`\n${scaleTable(result)}\n`);
    if (asked.page) publishScale([result], series);
  };
  const wanted = SERIES.filter(({ name }) => asked.series.includes(name));
  return runScale(wanted, { options: { ...asked.scale, quick: asked.quick }, brokers, progress: say, done });
}

function finish(asked: Options, results: readonly PathResult[], scale: readonly ScaleResult[]): void {
  say([...results.map(pathTable), ...scale.map(scaleTable)].join('\n\n'));
  if (asked.json !== undefined) writeFileSync(asked.json, resultsJson([...results, ...scale]));
  if (asked.check) {
    const { regressions, failures } = check(results, say);
    if (failures.length > 0 || (asked.strict && regressions.length > 0)) process.exitCode = 1;
  }
  if (asked.saveBaseline) saveBaseline(results);
}

let ending = false;
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    if (ending) process.exit(130);
    ending = true;
    void brokers.stop().finally(() => process.exit(130));
  });
}

const asked = options();
if (asked) await main(asked);
