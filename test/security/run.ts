import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { ensureBrokers } from '@magpie/brokers';
import { ROOT } from '../../infra/checks/command.ts';
import { describeMachine, describeVersions } from '../reliability/runner/machine.ts';
import type { Failure } from '../reliability/runner/record.ts';
import { runTestFile, testFiles } from '../reliability/runner/test-file.ts';
import { environmentOf } from './kit/settings.ts';
import { parseFigures } from './runner/figures.ts';
import { securityPage } from './runner/page.ts';
import { recordedRuns, SECURITY_RUNS, type SecurityRun, totalsOf } from './runner/record.ts';

const HELP = `npm run security -- [options]

Runs the long form of the security tests, file by file: minutes instead of seconds.

  --short        the form that runs with all other tests
  --only WORD    only the files whose name contains the word; may be given several times
  --record       add the run to apps/docs/security-tested.md
  --json FILE    write what the run showed to a file as well
  --help         this text

The exit code is 0 when every test passed, 1 when one failed, and 130 when interrupted.
`;

const OPTIONS = {
  short: { type: 'boolean', default: false },
  only: { type: 'string', multiple: true },
  record: { type: 'boolean', default: false },
  json: { type: 'string' },
  help: { type: 'boolean', default: false },
} as const;

const say = (text: string): void => void process.stdout.write(`${text}\n`);

function write(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

/** Names of the test files that contain one of the words; all without words. */
const chosenFiles = (words: readonly string[]): readonly string[] =>
  testFiles('security').filter((name) => words.length === 0 || words.some((word) => name.includes(word)));

/** Runs the tests and returns the exit code. */
async function main(signal: AbortSignal): Promise<number> {
  const { short, only = [], record, json, help } = parseArgs({ options: OPTIONS }).values;
  if (help) {
    say(HELP.trimEnd());
    return 0;
  }
  const { missing, reason } = await ensureBrokers({ wanted: ['mosquitto', 'rabbitmq', 'prosody'], progress: say });
  if (missing.length > 0) throw new Error(reason);
  const started = new Date();
  const name = started.toISOString().slice(0, 19).replaceAll(':', '');
  const form = short ? 'short' : 'long';
  const [figures, log] = ['figures.jsonl', 'log'].map((end) => join(ROOT, 'data/security', `${name}.${end}`)) as [
    string,
    string,
  ];
  for (const file of [figures, log]) write(file, '');
  const files = chosenFiles(only);
  const failures: Failure[] = [];
  for (const [index, file] of files.entries()) {
    if (signal.aborted) return 130;
    say(`[${index + 1}/${files.length}] ${file}`);
    const options = { project: 'security', env: environmentOf(form, figures), log, signal };
    failures.push(...(await runTestFile(file, options)));
  }
  const run: SecurityRun = {
    ...{ date: started.toISOString(), minutes: Math.round((Date.now() - started.getTime()) / 60_000), form, files },
    ...{ machine: describeMachine(), versions: await describeVersions(), failures },
    attacks: parseFigures(readFileSync(figures, 'utf8')),
  };
  const text = `${JSON.stringify(run, undefined, 2)}\n`;
  if (json !== undefined) write(json, text);
  if (record) {
    write(join(ROOT, SECURITY_RUNS, `${name}.json`), text);
    write(join(ROOT, 'apps/docs/security-tested.md'), securityPage(recordedRuns()));
  }
  say(JSON.stringify(totalsOf(run)));
  for (const { file, test, message } of failures) say(`FAILED ${file}: ${test}: ${message}`);
  say(`${failures.length} failed after ${run.minutes} min; the tests' output is in ${relative(ROOT, log)}`);
  return failures.length > 0 ? 1 : 0;
}

const interruption = new AbortController();
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => interruption.abort());

try {
  process.exitCode = await main(interruption.signal);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
