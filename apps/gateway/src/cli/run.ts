import { LogFailed, LogLocked } from '@magpie/bus';
import { renderProblems } from '@magpie/config';
import { errorMessage } from '@magpie/contract';
import { createLogger } from '@magpie/telemetry';
import type { Command } from 'commander';
import { ADAPTERS } from '../adapters.ts';
import { type Assembled, assemble } from '../assemble.ts';
import { compileFile } from '../compile.ts';
import { fail } from './fail.ts';

/** Time for an ordered shutdown. */
const DRAIN_MS = 9000;

interface RunOptions {
  readonly config: string;
  readonly logLevel: string;
  readonly pretty?: true;
}

/** `magpie run`: the gateway itself. */
export function addRun(program: Command): void {
  program
    .command('run')
    .description('run the gateway until SIGTERM or SIGINT (a second signal ends it at once)')
    .requiredOption('-c, --config <file>', 'configuration file')
    .option('--log-level <level>', 'debug, info, warn or error', 'info')
    .option('--pretty', 'log for people instead of JSON lines (default on a terminal)')
    .action(run);
}

async function run({ config: path, logLevel, pretty }: RunOptions): Promise<void> {
  const { config, routes, book, problems, source } = compileFile(ADAPTERS, { path });
  if (problems.length > 0) process.stderr.write(`${renderProblems(problems, source)}\n`);
  if (!config || !routes) return fail(`${path} cannot be used; the errors are above`);
  const logger = createLogger({ level: logLevel, pretty: pretty ?? process.stdout.isTTY === true });
  const onFatal = (error: Error): void => {
    logger.error({ error: error.name }, `stopping: ${error.message}`);
    process.exitCode = 70;
    setImmediate(() => process.exit(70));
  };
  const assembled = await assemble({ config, routes, book, logger, onFatal }).catch(explainStart);
  stopOnSignals(assembled, (message) => logger.info({}, message));
  const url = await assembled.start().catch(explainStart);
  logger.info({ url, gateway: config.gateway.id }, `listening on ${url}`);
}

function explainStart(error: unknown): never {
  if (error instanceof LogLocked || error instanceof LogFailed) return fail(error.message);
  return fail(`cannot start: ${errorMessage(error)}`);
}

/** SIGTERM and SIGINT drain; a second one exits at once. */
export function stopOnSignals(assembled: Assembled, say: (message: string) => void): void {
  let stopping = false;
  const stop = (signal: NodeJS.Signals): void => {
    if (stopping) process.exit(1);
    stopping = true;
    say(`${signal}: draining`);
    assembled.stop(DRAIN_MS).then(
      () => process.exit(0),
      (error: unknown) => fail(`the shutdown was not clean: ${errorMessage(error)}`),
    );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
}
