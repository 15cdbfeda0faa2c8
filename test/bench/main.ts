import { writeFileSync } from 'node:fs';
import { type Options, parseOptions, USAGE, UsageError } from './options.ts';
import { PATHS } from './paths/index.ts';
import { pathTable } from './report/table.ts';
import { runAll } from './run.ts';
import { createBrokers } from './world/brokers.ts';

/**
 * The benchmark: `npm run bench -- [path…]`. Runs the gateway, the script somebody would write by hand and with `--peers` other
 * bridges in turn on the same brokers, and prints what each of them did.
 */

/** Paths of `--quick`. */
const QUICK: readonly string[] = ['mqtt0-mqtt0', 'mqtt1-amqp', 'amqp-mqtt1', 'http-202'];

const say = (text: string): void => void process.stdout.write(`${text}\n`);
const names = PATHS.map(({ name }) => name);

function options(): Options | undefined {
  try {
    return parseOptions(process.argv.slice(2), names, QUICK);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    const list = PATHS.map(({ name, title }) => `  ${name.padEnd(24)} ${title}`);
    process.stderr.write(`${error.message}\n\n${USAGE}\n\nPaths:\n${list.join('\n')}\n`);
    process.exitCode = 2;
    return undefined;
  }
}

async function main(asked: Options): Promise<void> {
  const brokers = createBrokers();
  try {
    const results = await runAll(
      PATHS.filter(({ name }) => asked.paths.includes(name)),
      { options: asked, brokers, progress: say, done: (result) => say(`\n${pathTable(result)}\n`) },
    );
    if (asked.json !== undefined) writeFileSync(asked.json, `${JSON.stringify(results, undefined, 2)}\n`);
  } finally {
    await brokers.stop();
  }
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(130));

const asked = options();
if (asked) await main(asked);
