import { relative } from 'node:path';
import { ensureBrokers } from '@magpie/brokers';
import { ROOT } from '../../infra/checks/command.ts';
import { environmentOf } from './kit/settings.ts';
import { HELP, readArguments, type Settings, WrongArguments } from './runner/arguments.ts';
import { describeMachine, describeVersions } from './runner/machine.ts';
import { progressLine, recordTable } from './runner/progress.ts';
import type { Failure, RunRecord } from './runner/record.ts';
import { openRunFiles, type RunFiles } from './runner/run-files.ts';
import { runTestFile, testFiles } from './runner/test-file.ts';

const SAVE_MS = 5000;
/** Between two lines about the same file: sooner when there are new results, at the latest when there are none. */
const SAY_AFTER_MS = { sooner: 30_000, latest: 300_000 };

const say = (text: string): void => void process.stdout.write(`${text}\n`);

/**
 * Runs the long form of the reliability tests: `npm run reliability -- --help`.
 * @returns the exit code.
 */
async function main(words: readonly string[], signal: AbortSignal): Promise<number> {
  const settings = readArguments(words, testFiles('reliability'));
  if (settings === 'help') {
    say(HELP.trimEnd());
    return 0;
  }
  const { missing, reason } = await ensureBrokers({ wanted: ['mosquitto', 'rabbitmq', 'prosody'], progress: say });
  if (missing.length > 0) throw new Error(reason);
  const files = openRunFiles(settings, describeMachine(), await describeVersions());
  say(`MAGPIE_SEED=${settings.seed}, ${settings.files.join(', ')}`);
  say(`rows and output: ${relative(ROOT, files.rows)}, ${relative(ROOT, files.log)}`);
  const failures = await runAll(settings, files, signal);
  const record = files.save(signal.aborted ? 'interrupted' : 'ended', failures);
  say(`\n${recordTable(record)}\n`);
  for (const { file, test, message } of failures) say(`FAILED ${file}: ${test}: ${message}`);
  say(
    `${record.state} after ${record.minutes} min, ${failures.length} failed; kept in ${relative(ROOT, files.record)}`,
  );
  if (signal.aborted) return 130;
  return failures.length > 0 ? 1 : 0;
}

async function runAll(settings: Settings, files: RunFiles, signal: AbortSignal): Promise<readonly Failure[]> {
  const failures: Failure[] = [];
  const env = environmentOf({ ...settings, results: files.rows });
  for (const [index, file] of settings.files.entries()) {
    if (signal.aborted) break;
    const position = `[${index + 1}/${settings.files.length}] ${file}`;
    const watch = watchFile(position, settings, () => files.save('running', failures));
    try {
      failures.push(...(await runTestFile(file, { env, log: files.log, signal })));
    } finally {
      watch.end();
    }
  }
  return failures;
}

/** Saves every few seconds and says now and then how far the tests are. */
function watchFile(position: string, settings: Settings, save: () => RunRecord): { end(): void } {
  const started = performance.now();
  let said = { at: started, line: '' };
  const look = (after: typeof SAY_AFTER_MS): void => {
    const now = performance.now();
    const line = progressLine(save(), settings);
    const due = now - said.at >= (line === said.line ? after.latest : after.sooner);
    if (!due) return;
    say(`${position}, ${Math.round((now - started) / 60_000)} min: ${line}`);
    said = { at: now, line };
  };
  say(position);
  const timer = setInterval(() => look(SAY_AFTER_MS), SAVE_MS);
  return {
    end: () => {
      clearInterval(timer);
      look({ sooner: 0, latest: 0 });
    },
  };
}

const interruption = new AbortController();
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(name, () => {
    if (interruption.signal.aborted) process.exit(130); // asked twice
    say('interrupted: the tests are ended; what was measured is kept');
    interruption.abort();
  });
}

try {
  process.exitCode = await main(process.argv.slice(2), interruption.signal);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = error instanceof WrongArguments ? 2 : 1;
}
