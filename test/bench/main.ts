import { writeFileSync } from 'node:fs';
import { check, saveBaseline } from './check/baseline.ts';
import { type Options, parseOptions, USAGE, UsageError } from './options.ts';
import { PATHS, QUICK_PATHS } from './paths/index.ts';
import { publish, resultsJson } from './report/publish.ts';
import type { PathResult } from './report/results.ts';
import { pathTable } from './report/table.ts';
import { runAll } from './run.ts';
import { createBrokers } from './world/brokers.ts';

/**
 * The benchmark: `npm run bench -- [path…]`. Runs the gateway, the script somebody would write by hand and with `--peers` other
 * bridges in turn on the same brokers, and prints what each of them did.
 */

const say = (text: string): void => void process.stdout.write(`${text}\n`);
const names = PATHS.map(({ name }) => name);

function options(): Options | undefined {
  try {
    return parseOptions(process.argv.slice(2), names, QUICK_PATHS);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    const list = PATHS.map(({ name, title }) => `  ${name.padEnd(18)} ${title}`);
    process.stderr.write(`${error.message}\n\n${USAGE}\n\nPaths:\n${list.join('\n')}\n`);
    process.exitCode = 2;
    return undefined;
  }
}

const brokers = createBrokers();

async function main(asked: Options): Promise<void> {
  const paths = PATHS.filter(({ name }) => asked.paths.includes(name));
  // Published path by path, so that a long run that is interrupted has not been in vain.
  const done = (result: PathResult): void => {
    say(`\n${pathTable(result)}\n`);
    if (asked.page) publish([result], names);
  };
  try {
    finish(asked, await runAll(paths, { options: asked, brokers, progress: say, done }));
  } finally {
    await brokers.stop();
  }
}

function finish(asked: Options, results: readonly PathResult[]): void {
  say(results.map(pathTable).join('\n\n'));
  if (asked.json !== undefined) writeFileSync(asked.json, resultsJson(results));
  if (asked.check && check(results, say) > 0 && asked.strict) process.exitCode = 1;
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
