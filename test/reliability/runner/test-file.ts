import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { startProgram } from '@magpie/brokers';
import { ROOT } from '../../../infra/checks/command.ts';
import type { Failure } from './record.ts';
import { makeScratch } from './scratch.ts';

/** Time that an interrupted test file has to end by itself. */
const GRACE_MS = 30_000;

/** How to run a test file. */
export interface TestFileOptions {
  /** Its project, which is also the name of its folder in `test`; default `reliability`. */
  readonly project?: string;
  /** Added to the environment of this process. */
  readonly env: NodeJS.ProcessEnv;
  /** File that everything the tests print is appended to. */
  readonly log: string;
  /** Ends the tests early. */
  readonly signal: AbortSignal;
}

const END = '.test.ts';

/** Paths of the test files of a project, from the root, whose name is this; all without a name. */
const pathsOf = (project: string, name = '*'): readonly string[] =>
  globSync(`test/${project}/!(runner|kit)/${name}${END}`, { cwd: ROOT });

/** Names of all test files of a project, without `.test.ts`, in order. No two of them have the same. */
export const testFiles = (project: string): readonly string[] =>
  pathsOf(project)
    .map((path) => basename(path, END))
    .sort();

/**
 * Runs one test file to its end. Never rejects for what the tests do.
 * @param file its name without `.test.ts`.
 * @returns the tests that failed; none when all passed or the run was interrupted.
 */
export async function runTestFile(file: string, options: TestFileOptions): Promise<readonly Failure[]> {
  const scratch = makeScratch();
  const report = join(scratch.path, 'report.json');
  try {
    const env = { ...options.env, TMPDIR: scratch.path };
    const code = await runVitest(file, report, { ...options, env });
    if (options.signal.aborted) return [];
    const failures = failedTests(file, readReport(report));
    // A file that cannot be loaded or an unhandled error fails the run without failing a test.
    if (code === 0 || failures.length > 0) return failures;
    return [{ file, test: 'the file as a whole', message: `ended with code ${code ?? 'none'}; see the log` }];
  } finally {
    await scratch.remove();
  }
}

async function runVitest(file: string, report: string, options: TestFileOptions): Promise<number | null> {
  const { project = 'reliability', env, log, signal } = options;
  const vitest = join(ROOT, 'node_modules/vitest/vitest.mjs');
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const args = [vitest, 'run', '--project', project, ...pathsOf(project, file), ...reporters];
  // It gets a terminal's Ctrl-C from here only: the brokers must not get it before their tests are done.
  const tests = await startProgram(process.execPath, args, { cwd: ROOT, env, logFile: log });
  let timer: NodeJS.Timeout | undefined;
  const interrupt = (): void => {
    tests.signal('SIGINT');
    timer = setTimeout(() => void tests.kill(), GRACE_MS);
  };
  signal.addEventListener('abort', interrupt, { once: true });
  const code = await tests.exited();
  clearTimeout(timer);
  signal.removeEventListener('abort', interrupt);
  return code;
}

function readReport(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined; // No report: the run ended before its first test, which its exit code says.
  }
}

interface Report {
  readonly testResults: readonly {
    readonly status: string;
    readonly message: string;
    readonly assertionResults: readonly {
      readonly status: string;
      readonly fullName: string;
      readonly failureMessages: readonly string[];
    }[];
  }[];
}

/** The failed tests in a JSON report of vitest, and files that failed outside their tests; none for anything else. */
export function failedTests(file: string, report: unknown): readonly Failure[] {
  if (typeof report !== 'object' || report === null || !('testResults' in report)) return [];
  const { testResults } = report as Report;
  return testResults.flatMap(({ status, message, assertionResults }) => {
    const failed = assertionResults.filter((test) => test.status === 'failed');
    if (failed.length === 0 && status === 'failed')
      return [{ file, test: 'the file as a whole', message: firstLine(message) }];
    return failed.map(({ fullName, failureMessages: [text = ''] }) => ({
      file,
      test: fullName,
      message: firstLine(text),
    }));
  });
}

const firstLine = (text: string): string => text.split('\n', 1)[0]!;
