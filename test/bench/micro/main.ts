import { writeFileSync } from 'node:fs';
import { UsageError } from '../options.ts';
import { resultsJson } from '../report/publish.ts';
import { GROUPS } from './groups/index.ts';
import { EFFORT } from './measure.ts';
import { type MicroOptions, parseMicroOptions, USAGE } from './options.ts';
import { publishMicro } from './report/publish.ts';
import { groupTable } from './report/table.ts';
import { runGroups } from './run.ts';

/** The micro-benchmarks: `npm run bench:micro -- [group…]`. Measures the parts that a message passes, one by one. */

const say = (text: string): void => void process.stdout.write(`${text}\n`);
const names = GROUPS.map(({ name }) => name);

function options(): MicroOptions | undefined {
  try {
    return parseMicroOptions(process.argv.slice(2), names);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    const list = GROUPS.map(({ name, title }) => `  ${name.padEnd(10)} ${title}`);
    process.stderr.write(`${error.message}\n\n${USAGE}\n\nGroups:\n${list.join('\n')}\n`);
    process.exitCode = 2;
    return undefined;
  }
}

async function main({ groups, json, page }: MicroOptions): Promise<void> {
  const wanted = GROUPS.filter(({ name }) => groups.includes(name));
  const results = await runGroups(wanted, EFFORT, {
    progress: say,
    done: (result) => say(`\n${groupTable(result)}\n`),
  });
  if (json !== undefined) writeFileSync(json, resultsJson(results));
  if (page) publishMicro(results, names);
  if (results.some(({ cases }) => cases.some(({ failure }) => failure !== undefined))) process.exitCode = 1;
}

const asked = options();
if (asked) await main(asked);
